"""``pairstream``: live pair analytics for crypto futures."""

import argparse
import asyncio
import sys
from pathlib import Path

from services.cli import keys, store_commands
from services.common import logs, process
from services.common.errors import PairstreamError
from services.common.settings import StoreSettings, load
from services.local.settings import DEFAULT_DATA_DIR, RecordSettings, UpSettings


def main() -> None:
    """Run the command line; an error of ours is one line and exit code 1."""
    flags = _parser().parse_args()
    try:
        flags.run(flags)
    except PairstreamError as error:
        sys.exit(f"pairstream: {error}")


def _up(flags: argparse.Namespace) -> None:
    from services.cli.up import up

    logs.configure("pairstream", log_format="console")
    # uvloop starts no process as another user, as the database must be.
    process.run("pairstream", lambda: up(UpSettings.of(flags)), asyncio.new_event_loop)


def _record(flags: argparse.Namespace) -> None:
    from services.cli.record.command import record

    settings = RecordSettings.of(flags)
    process.run("pairstream", lambda: record(settings))


def _db_upgrade(_: argparse.Namespace) -> None:
    from services.store import schema

    settings = load(StoreSettings)
    schema.upgrade(settings.database_url, settings)
    sys.stdout.write("the database has the current schema\n")


def _topics_create(flags: argparse.Namespace) -> None:
    from services.common.kafka import clients
    from services.contracts import topics
    from services.stream_analytics.settings import StreamSettings

    settings = load(StreamSettings)
    partitions = flags.partitions or settings.partitions
    created = asyncio.run(clients.create_topics(settings, topics.ALL, partitions, flags.replication_factor))
    sys.stdout.write(f"created: {', '.join(created) or 'nothing, every topic exists'}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pairstream", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="run the whole pipeline on this machine")
    up.add_argument("--feed", choices=("auto", "live", "replay", "synthetic"), help="default: auto")
    up.add_argument(
        "--replay-file",
        metavar="PATH",
        help="recorded frames, ndjson ticks or the venue's archive; a directory of it; several by commas",
    )
    up.add_argument("--speed", metavar="N", help="replay and synthetic: N times real time, or max")
    up.add_argument("--symbols", metavar="A,B", help="what to ingest")
    up.add_argument("--pairs", metavar="Y-X,...", help="what to analyse: Y is regressed on X")
    up.add_argument("--seed", metavar="N", help="of the synthetic feed")
    up.add_argument(
        "--data-dir", metavar="DIR", type=Path, default=DEFAULT_DATA_DIR, help="default: %(default)s"
    )
    up.add_argument("--api-port", metavar="PORT", help="default: 8000; 0 takes a free one")
    up.add_argument("--ui-port", metavar="PORT", help="default: 8050; 0 takes a free one")
    up.set_defaults(run=_up)

    record = commands.add_parser("record", help="write the venue's frames to a file that can be replayed")
    record.add_argument("file", metavar="FILE", type=Path, help="a new file; packed if its name ends in .gz")
    record.add_argument("--symbols", metavar="A,B", help="default: PAIRSTREAM_SYMBOLS")
    record.add_argument("--streams", metavar="A,B", help="default: PAIRSTREAM_STREAMS")
    record.add_argument("--duration", metavar="TIME", help="such as 90s, 10m or 2h; default: until Ctrl-C")
    record.add_argument("--force", action="store_true", help="write over a file that exists")
    record.set_defaults(run=_record)

    store_commands.add(commands)
    keys.add(commands)

    db = commands.add_parser("db", help="the database").add_subparsers(required=True, metavar="COMMAND")
    db.add_parser("upgrade", help="bring it to the current schema; can be repeated").set_defaults(
        run=_db_upgrade
    )

    topics = commands.add_parser("topics", help="the topics").add_subparsers(required=True, metavar="COMMAND")
    create = topics.add_parser("create", help="create those that are missing; can be repeated")
    create.add_argument("--partitions", metavar="N", type=int, help="default: PAIRSTREAM_PARTITIONS, 4")
    create.add_argument("--replication-factor", metavar="N", type=int, default=1, help="default: %(default)s")
    create.set_defaults(run=_topics_create)
    return parser


if __name__ == "__main__":
    main()
