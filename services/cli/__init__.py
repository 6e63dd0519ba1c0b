"""Command line: one file or package for each command."""
