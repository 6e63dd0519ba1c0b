"""Where ticks come from: one file for each feed, all behind the protocol in ``feed``."""
