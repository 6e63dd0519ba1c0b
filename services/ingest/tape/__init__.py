"""What makes a tape complete: which trades were missed, which came after all, and what share is there."""
