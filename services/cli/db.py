"""``pairstream db``: the schema of the database."""

import argparse
import sys

from services.common.settings import StoreSettings, load
from services.store import schema


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    upgrade = commands.add_parser("upgrade", help="bring it to the current schema; can be repeated")
    upgrade.set_defaults(run=_upgrade)


def _upgrade(_: argparse.Namespace) -> None:
    settings = load(StoreSettings)
    schema.upgrade(settings.database_url, settings)
    sys.stdout.write("the database has the current schema\n")
