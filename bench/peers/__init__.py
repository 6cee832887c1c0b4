"""Other libraries' stores over the same passages and questions, in an environment of their own."""
