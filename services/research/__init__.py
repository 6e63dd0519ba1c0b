"""Research: work that takes longer than a request may, over stored history, beside the stream and after it."""
