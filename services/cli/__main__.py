"""Live pair analytics for crypto futures."""

import argparse
import sys
from importlib import import_module

from services.common.errors import PairstreamError

COMMANDS = {
    "up": ("services.cli.up", "run the whole pipeline on this machine"),
    "record": ("services.cli.record.command", "write the venue's frames to a file that can be replayed"),
    "import": ("services.cli.importing.command", "history into the store: every tick once, with its bars"),
    "export": ("services.cli.export.command", "the store to CSV or Parquet"),
    "reconcile": (
        "services.cli.reconcile.command",
        "compare bars with raw ticks; exit code 1 if any differs",
    ),
    "keys": ("services.cli.keys", "API keys"),
    "scan": ("services.cli.scan.command", "which pairs of stored history are cointegrated"),
    "doctor": (
        "services.cli.doctor.command",
        "check what pairstream needs; exit code 1 if something is missing",
    ),
    "dead-letters": ("services.cli.dead_letters.command", "what could not be processed: list, show, replay"),
    "db": ("services.cli.db", "the database"),
    "topics": ("services.cli.topics", "the topics"),
}
"""The module of each command, whose ``add`` adds its arguments, and what the command does."""


def main() -> None:
    """Run the command line; an error of ours is one line and exit code 1."""
    parser = argparse.ArgumentParser(prog="pairstream", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (module, purpose) in COMMANDS.items():
        command = commands.add_parser(name, help=purpose)
        # The others are not imported: most are heavy.
        if sys.argv[1:2] == [name]:
            import_module(module).add(command)
    flags = parser.parse_args()
    try:
        flags.run(flags)
    except PairstreamError as error:
        sys.exit(f"pairstream: {error}")


if __name__ == "__main__":
    main()
