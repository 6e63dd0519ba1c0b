"""Feeds, the sources of ticks: one file or package for each, behind the protocol in ``feed``."""
