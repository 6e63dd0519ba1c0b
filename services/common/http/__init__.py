"""HTTP plumbing of every listening service: limits on connections, callers, bodies and time."""
