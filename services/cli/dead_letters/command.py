"""``pairstream dead-letters``: list, show and replay what could not be processed."""

import argparse
from collections.abc import AsyncIterator

from services.cli import arguments
from services.cli.dead_letters.letter import StoredLetter
from services.cli.dead_letters.store import LetterStore, opened
from services.cli.run_to_end import run_to_end
from services.common.errors import FatalError
from services.common.settings import KafkaSettings, load
from services.local.terminal import write


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listed = commands.add_parser("list", help="one line each, the oldest of a partition first")
    listed.add_argument("--limit", metavar="N", type=int, default=100, help="default: %(default)s")
    shown = commands.add_parser("show", help="one of them: its headers and its bytes")
    shown.add_argument("id", metavar="ID", help="as list shows it: its partition and offset, such as 0/17")
    shown.set_defaults(run=lambda flags: run_to_end(_show(flags.id)))
    replayed = commands.add_parser("replay", help="send them to the topics that they came from, once more")
    replayed.add_argument(
        "ids", metavar="ID", nargs="*", help="these; without one, those that the filters leave"
    )
    replayed.add_argument("--all", action="store_true", help="every letter that the other filters leave")
    replayed.add_argument("--dry-run", action="store_true", help="say what would be sent, and send nothing")
    for one, run in ((listed, _list), (replayed, _replay)):
        one.add_argument("--topic", metavar="TOPIC", help="of this topic or feed alone, such as ticks")
        one.add_argument("--reason", metavar="TEXT", help="whose reason has this in it, in any case")
        arguments.add_period(one)
        one.set_defaults(run=lambda flags, run=run: run_to_end(run(flags)))


async def _list(flags: argparse.Namespace) -> None:
    if flags.limit < 1:
        raise FatalError(f"--limit: expected 1 or more, received {flags.limit}")
    count = 0
    async with opened(load(KafkaSettings)) as letters:
        async for letter in _matching(letters, flags):
            count += 1
            if count <= flags.limit:
                write(letter.line())
    more = f", the first {flags.limit:,} shown" if count > flags.limit else ""
    write(f"{count:,} dead letters{more}")


async def _show(name: str) -> None:
    async with opened(load(KafkaSettings)) as letters:
        write((await letters.one(name)).text())


async def _replay(flags: argparse.Namespace) -> None:
    filters = flags.all or flags.topic or flags.reason or flags.start is not None or flags.end is not None
    if bool(flags.ids) == bool(filters):
        raise FatalError("replay: expected ids, or filters such as --topic, or --all, received none or both")
    sent = kept = 0
    async with opened(load(KafkaSettings)) as letters:
        # All are read first: what a replay makes fail again is a new letter.
        chosen = (
            [await letters.one(name) for name in flags.ids]
            if flags.ids
            else [letter async for letter in _matching(letters, flags)]
        )
        for letter in chosen:
            refusal = letter.refusal() if flags.dry_run else await letters.replay(letter)
            if refusal is None:
                sent += 1
                write(f"{letter.id:<10}  {'would go' if flags.dry_run else 'sent'} to {letter.source}")
            else:
                kept += 1
                write(f"{letter.id:<10}  not sent: {refusal}")
    write(f"{sent:,} {'would be ' if flags.dry_run else ''}sent, {kept:,} not")


async def _matching(letters: LetterStore, flags: argparse.Namespace) -> AsyncIterator[StoredLetter]:
    async for letter in letters.all():
        if (
            (flags.topic is None or letter.source == flags.topic)
            and (flags.reason is None or flags.reason.lower() in letter.reason.lower())
            and (flags.start is None or letter.time_us >= flags.start)
            and (flags.end is None or letter.time_us < flags.end)
        ):
            yield letter
