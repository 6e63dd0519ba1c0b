"""``pairstream dead-letters``: bytes that could not be processed: list, show, and replay to where they came from."""
