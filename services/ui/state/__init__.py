"""State of the dashboard: live state shared by all, and one session for each browser tab."""
