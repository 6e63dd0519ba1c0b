"""Models of the API: one per record, its fields in the order of the columns."""
