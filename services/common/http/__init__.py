"""What stands before every service that listens: how many come in, from where, how much they bring, and how slowly."""
