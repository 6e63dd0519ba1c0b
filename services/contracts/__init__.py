"""Contracts between services: messages, pairs, symbols. No I/O, and nothing of the services is imported."""
