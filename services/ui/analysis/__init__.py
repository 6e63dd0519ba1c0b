"""The analysis of two legs over a range: what is asked, and what is shown of the answer; of a pair or a dataset."""
