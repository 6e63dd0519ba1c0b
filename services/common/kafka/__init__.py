"""Kafka: clients, topics, batches in and out, and what to do about messages that cannot be read."""
