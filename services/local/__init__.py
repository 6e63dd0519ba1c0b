"""``pairstream up``: every service on one machine, with the embedded broker and database."""
