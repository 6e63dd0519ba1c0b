"""What the API answers, described for its readers: one model per record, in the order of its columns."""
