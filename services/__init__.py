"""pairstream: live pair analytics for crypto futures. Several services, one import root."""
