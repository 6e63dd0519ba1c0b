"""``pairstream topics``: the topics of a broker."""

import argparse
import asyncio
import sys

from services.common.kafka import clients
from services.common.settings import load
from services.contracts import topics
from services.stream_analytics.settings import StreamSettings


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    create = commands.add_parser("create", help="create those that are missing; can be repeated")
    create.add_argument("--partitions", metavar="N", type=int, help="default: PAIRSTREAM_PARTITIONS, 4")
    create.add_argument("--replication-factor", metavar="N", type=int, default=1, help="default: %(default)s")
    create.set_defaults(run=_create)


def _create(flags: argparse.Namespace) -> None:
    settings = load(StreamSettings)
    partitions = flags.partitions or settings.partitions
    created = asyncio.run(clients.create_topics(settings, topics.ALL, partitions, flags.replication_factor))
    sys.stdout.write(f"created: {', '.join(created) or 'nothing, every topic exists'}\n")
