"""The venue's archive of past trades as a feed."""
