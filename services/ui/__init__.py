"""The dashboard: one Dash page, a pure client of the HTTP API."""
