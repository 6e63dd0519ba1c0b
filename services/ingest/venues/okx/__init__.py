"""OKX linear perpetual swaps."""
