"""Datasets in the API: the catalogue, upload forms, and bars beside those of the market."""
