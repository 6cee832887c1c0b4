"""``make cloud-check``: one document's whole life in a deployed stack, as its users and its owner see it."""
