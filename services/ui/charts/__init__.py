"""Live charts: the one place that knows Lightweight Charts."""
