"""Kafka: clients, batches in and out, flow control, lag, losses and dead letters."""
