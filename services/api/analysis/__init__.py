"""Heavy questions: worked out by processes of their own, kept, and given up when nobody waits for them."""
