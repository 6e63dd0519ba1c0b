"""Security before the routes: authentication, rate and size limits, and headers of every response."""
