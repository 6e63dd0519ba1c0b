"""Service that delivers alerts to targets, and keeps what became of each delivery."""
