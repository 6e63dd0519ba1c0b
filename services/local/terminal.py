"""Terminal output of ``pairstream up``: every line with the name of its service."""

import sys

_WIDTH = 16
_COLOURS = {
    "pairstream": 1,
    "database": 34,
    "ingest": 36,
    "stream_analytics": 35,
    "sink": 33,
    "api": 32,
    "ui": 94,
}


def log_line(name: str, line: str) -> None:
    """Write a line to standard output, at once."""
    label = f"{name:<{_WIDTH}} |"
    if sys.stdout.isatty():
        label = f"\x1b[{_COLOURS.get(name, 0)}m{label}\x1b[0m"
    write(f"{label} {line}")


def write(line: str) -> None:
    """Write a bare line to standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
