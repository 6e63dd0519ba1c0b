"""Arguments that several commands have."""

import argparse
from collections.abc import Callable
from typing import TypeVar

from services.api.time_parameters import parse_moment
from services.contracts.symbol_forms import market_pair, market_symbol

T = TypeVar("T")


def add_period(parser: argparse.ArgumentParser) -> None:
    """Add ``--start`` and ``--end``, in microseconds since the epoch."""
    parser.add_argument(
        "--start", metavar="TIME", type=moment, help="such as 2026-01-31T12:00:00Z; inclusive"
    )
    parser.add_argument("--end", metavar="TIME", type=moment, help="exclusive")


def symbol(text: str) -> str:
    """Return a symbol, in whatever form it is written."""
    return _parsed(market_symbol, text)


def pair(text: str) -> str:
    """Return the name of a pair."""
    return str(_parsed(market_pair, text))


def moment(text: str) -> int:
    """Return a time in microseconds since the epoch."""
    return _parsed(parse_moment, text)


def _parsed(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except ValueError as error:
        # Of other errors argparse does not repeat what is wrong.
        raise argparse.ArgumentTypeError(str(error)) from error
