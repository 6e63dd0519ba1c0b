"""``pairstream doctor``: one line for each thing that pairstream needs; exit code 1 if one is missing."""

import argparse
import logging
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from services.api.settings import ApiSettings
from services.cli.doctor import machine, servers
from services.cli.doctor.finding import CheckFinding
from services.cli.run_to_end import run_to_end
from services.common.settings import StoreSettings, load
from services.ingest.settings import IngestSettings
from services.local.settings import DEFAULT_DATA_DIR
from services.local.terminal import write
from services.stream_analytics.settings import StreamSettings
from services.ui.settings import UiSettings


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        type=Path,
        default=DEFAULT_DATA_DIR,
        help="where `up` keeps data, %(default)s",
    )
    parser.set_defaults(run=_run)


def _run(flags: argparse.Namespace) -> None:
    # What clients log beside is in the findings.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    findings: list[CheckFinding] = []
    run_to_end(_report(flags.data_dir, findings))
    if any(one.status == "fail" for one in findings):
        sys.exit(1)


async def _report(data_dir: Path, findings: list[CheckFinding]) -> None:
    async for finding in _checks(data_dir):
        write(str(finding))
        findings.append(finding)


async def _checks(data_dir: Path) -> AsyncIterator[CheckFinding]:
    # Everything is read before anything is asked: a wrong variable is one line, and no check goes by half of them.
    stream, store, ingest = load(StreamSettings), load(StoreSettings), load(IngestSettings)
    api, ui = load(ApiSettings), load(UiSettings)
    for found in (servers.broker(stream), servers.store(store), servers.feed(ingest)):
        async for finding in found:
            yield finding
    yield machine.disk(data_dir)
    yield machine.memory()
    yield machine.open_files()
    yield await machine.port("the API", "PAIRSTREAM_API_PORT", api.api_host, api.api_port)
    yield await machine.port("the dashboard", "PAIRSTREAM_UI_PORT", ui.ui_host, ui.ui_port)
