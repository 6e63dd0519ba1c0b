"""Contracts between services: messages, pairs, symbols. No I/O, and no import of a service."""
