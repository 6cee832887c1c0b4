"""What ``hasty_ingest`` dies of, apart from it: that module changes the handler when it is imported."""

DEADLY = b"This sentence ends the process that reads it."
