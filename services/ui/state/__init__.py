"""What the dashboard knows: live state shared by all, and one session for each browser tab."""
