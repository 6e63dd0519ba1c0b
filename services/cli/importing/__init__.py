"""``pairstream import``: files of past ticks into the store, files of bars into datasets."""
