"""What more than one function of Bucketwise needs."""
