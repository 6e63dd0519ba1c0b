"""Components that several pages are made of."""
