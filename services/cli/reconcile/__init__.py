"""``pairstream reconcile``: stored bars against their ticks and against the exchange's own bars."""
