"""``pairstream record``: a venue's frames into a file that can be replayed."""
