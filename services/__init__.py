"""pairstream: live pair analytics for crypto futures. Five services, one import root."""
