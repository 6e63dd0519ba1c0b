"""``pairstream scan``: which pairs of stored history are cointegrated, honestly counted."""
