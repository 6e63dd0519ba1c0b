"""Analysis of two legs over a range, of a pair or a dataset: query, presenter, panel."""
