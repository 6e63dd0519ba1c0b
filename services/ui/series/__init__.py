"""Series that charts show, buffered and shared by every session."""
