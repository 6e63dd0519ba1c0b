"""``pairstream record``: the venue's frames, as received, into a file that can be replayed."""

import argparse
import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from services.cli.progress import Show, progress
from services.cli.record.recorder import Recorder
from services.common import logs, process
from services.common.cancellation import TaskGroup, pause
from services.common.errors import FatalError
from services.common.settings import load
from services.ingest.feeds.recordings.writer import create, require_new
from services.ingest.settings import IngestSettings
from services.ingest.venues import registry
from services.local.settings import RecordSettings
from services.local.terminal import write

_SHOW_EVERY_S = 0.5


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("file", metavar="FILE", type=Path, help="a new file; packed if its name ends in .gz")
    parser.add_argument("--symbols", metavar="A,B", help="default: PAIRSTREAM_SYMBOLS")
    parser.add_argument("--streams", metavar="A,B", help="default: PAIRSTREAM_STREAMS")
    parser.add_argument("--duration", metavar="TIME", help="such as 90s, 10m or 2h; default: until Ctrl-C")
    parser.add_argument("--force", action="store_true", help="write over a file that exists")
    parser.set_defaults(run=_run)


def _run(flags: argparse.Namespace) -> None:
    settings = RecordSettings.of(flags)
    process.run("pairstream", lambda: record(settings))


async def record(settings: RecordSettings) -> None:
    """Record until cancelled or until the time is over, then print a summary of the file.

    FatalError if the file cannot be written, a symbol is not traded, or no frame came in the given time.
    """
    ingest = load(IngestSettings, settings.environment)
    if not settings.force:
        require_new(settings.file)
    async with registry.opened(ingest) as opened:
        recorder = Recorder(ingest, opened)
        try:
            await _until(settings, ingest, recorder)
        finally:
            if recorder.frames:
                write(_summary(settings.file, recorder, recorder.symbols))
    if not recorder.frames:
        raise FatalError(
            f"{settings.file}: expected frames within {settings.duration_s:g} s, received none, and wrote no file: "
            f"{recorder.trouble or 'the venue is silent'}"
        )


async def _until(settings: RecordSettings, ingest: IngestSettings, recorder: Recorder) -> None:
    """Record until the time is over, if it ever is."""
    limit = asyncio.timeout(settings.duration_s)
    with progress("recording", settings.duration_s) as show:
        # After the bar has begun, so that the lines of the log pass above it.
        logs.configure("pairstream", ingest.log_level, log_format="console")
        try:
            async with limit, TaskGroup() as tasks:
                tasks.create_task(_show(recorder, len(recorder.symbols), show))
                await recorder.wait_for_venues()
                # Not before: a wrong symbol must not cost the file that is there.
                with create(settings.file, settings.force) as writer:
                    await recorder.run(writer)
        except TimeoutError:
            if not limit.expired():
                raise


async def _show(recorder: Recorder, symbols: int, show: Show) -> NoReturn:
    """Show the progress until cancelled."""
    started_s = time.monotonic()
    while True:
        await pause(_SHOW_EVERY_S)
        done_s = time.monotonic() - started_s
        figures = (
            f"{recorder.frames:,} frames",
            f"{recorder.frames / done_s:,.0f}/s",
            _size(recorder.bytes),
            f"{len(recorder.heard)} of {symbols} symbols",
        )
        show(done_s, "  ".join(figures))


def _summary(file: Path, recorder: Recorder, symbols: Sequence[str]) -> str:
    silent = ", ".join(symbol for symbol in symbols if symbol not in recorder.heard)
    words = (
        f"{recorder.frames:,} frames, {_size(recorder.bytes)}",
        f"{recorder.damaged:,} of them damaged" if recorder.damaged else "",
        f"{recorder.dropped:,} more dropped: the disk is too slow" if recorder.dropped else "",
        f"no trades of {silent}" if silent else "",
    )
    return f"{file}: {', '.join(filter(None, words))}"


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.1f} kB"
