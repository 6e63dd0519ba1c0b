"""Files that are no csv, as the csv they would be: one recognition reads them all."""
