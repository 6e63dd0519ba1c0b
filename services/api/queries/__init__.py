"""What the store holds, read as rows and series."""
