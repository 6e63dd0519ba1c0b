"""What a pair's z-score has done: what is asked, and what is shown of the answer."""
