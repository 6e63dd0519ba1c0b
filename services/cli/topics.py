"""``pairstream topics``: the topics of a broker."""

import argparse
import asyncio
import sys

from services.cli import schema_registry
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
    register = commands.add_parser("register", help="give a registry the schemas; can be repeated")
    register.set_defaults(run=_register)
    check = commands.add_parser(
        "check",
        help="before a deployment: can those who read by the registered schemas read what this version says?",
    )
    check.set_defaults(run=_check)
    for one in (register, check):
        one.add_argument("registry", metavar="URL", help="of Redpanda's or Confluent's registry")


def _create(flags: argparse.Namespace) -> None:
    settings = load(StreamSettings)
    partitions = flags.partitions or settings.partitions
    created = asyncio.run(clients.create_topics(settings, topics.ALL, partitions, flags.replication_factor))
    sys.stdout.write(f"created: {', '.join(created) or 'nothing, every topic exists'}\n")


def _register(flags: argparse.Namespace) -> None:
    subjects = schema_registry.subjects()
    schema_registry.register(flags.registry, subjects)
    sys.stdout.write(f"registered: {', '.join(subjects)}\n")


def _check(flags: argparse.Namespace) -> None:
    subjects = schema_registry.subjects()
    unknown = schema_registry.check(flags.registry, subjects)
    sys.stdout.write(f"compatible: {', '.join(name for name in subjects if name not in unknown) or 'none'}\n")
    if unknown:
        sys.stdout.write(f"not registered yet: {', '.join(unknown)}\n")
