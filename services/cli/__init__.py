"""The ``pairstream`` command: one room for each subcommand."""
