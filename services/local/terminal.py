"""Terminal output of ``pairstream up``: every line with the name of its service."""

import sys

from rich.console import Console
from rich.text import Text

_WIDTH = 16
_COLOURS = {
    "pairstream": "bold",
    "database": "blue",
    "ingest": "cyan",
    "stream_analytics": "magenta",
    "alerting": "red",
    "sink": "yellow",
    "research": "bright_magenta",
    "api": "green",
    "ui": "bright_blue",
}
# What a service says is text, whatever brackets it has.
_CONSOLE = Console(soft_wrap=True, markup=False, highlight=False, emoji=False)


def log_line(name: str, line: str) -> None:
    """Write a line to standard output, at once; its name in colour on a terminal that has some."""
    _CONSOLE.print(Text(f"{name:<{_WIDTH}} |", _COLOURS.get(name, "")), line)


def write(line: str) -> None:
    """Write a bare line to standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
