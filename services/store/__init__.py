"""The database: connection and schema, relations, bars, and rows in binary."""
