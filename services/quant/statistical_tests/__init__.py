"""Statistical tests: unit roots, cointegration, structural breaks, residual diagnostics, half-life."""
