"""Kernel shared by all services: clock, errors, settings, logs, metrics, process, Kafka and HTTP plumbing."""
