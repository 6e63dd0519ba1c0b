"""Analyses: computed by worker processes, cached, and cancelled when no client waits for them."""
