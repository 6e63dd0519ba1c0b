"""Service that has rules watch signals, the tape and the services, and emits their alerts."""
