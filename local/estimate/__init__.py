"""What a folder or a bucket would cost to index, from the parsers and the chunker that index it. Nothing is sent."""
