"""A table in any dialect comes back as it was written, or the file is asked: never anything else."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.datasets.numbers import Numbers, recognise_numbers
from services.datasets.options import ReadOptions
from services.datasets.questions import UnclearError, UnclearFileError
from services.datasets.rows import DatasetBar, RowProblem
from services.datasets.widths import DAY_US, HOUR_US, MONTH_US, Step, Width, width_of
from tests.unit.datasets.reading import read

TIMES: dict[str, Callable[[datetime], str]] = {
    "s": lambda at: str(int(at.timestamp())),
    "ms": lambda at: str(int(at.timestamp()) * 10**3),
    "us": lambda at: str(int(at.timestamp()) * 10**6),
    "ns": lambda at: str(int(at.timestamp()) * 10**9),
    "excel": lambda at: f"{(at - datetime(1899, 12, 30, tzinfo=UTC)) / timedelta(days=1):.8f}",
    "digits 12": lambda at: f"{at:%Y%m%d%H%M}",
    "digits 14": lambda at: f"{at:%Y%m%d%H%M%S}",
    "iso": lambda at: at.isoformat(),
    "month first": lambda at: f"{at:%m/%d/%Y %H:%M}",
    "day first": lambda at: f"{at:%d/%m/%Y %H:%M:%S}",
    "dots": lambda at: f"{at:%d.%m.%Y %H:%M}",
    "two digits": lambda at: f"{at:%d-%m-%y %H:%M}",
    "12 hours": lambda at: f"{at:%m/%d/%Y %I:%M %p}",
    "named": lambda at: f"{at:%d %b %Y %H:%M}",
    "American": lambda at: f"{at:%b %d, %Y, %I:%M:%S %p}",
    "offset": lambda at: f"{at + timedelta(hours=5, minutes=30):%Y-%m-%d %H:%M:%S} +0530",
    "GMT": lambda at: f"{at + timedelta(hours=1):%d.%m.%Y %H:%M:%S}.000 GMT+0100",
    "zone": lambda at: f"{at + timedelta(hours=9):%Y-%m-%d %H:%M} JST",
}


ORDERS = {"month first": "mdy", "12 hours": "mdy", "day first": "dmy", "two digits": "dmy"}
# What is asked, and what somebody who knows the dialect says.
ANSWERS: dict[str, Callable[["Dialect"], str]] = {
    "decimal": lambda dialect: dialect.decimal,
    "date_order": lambda dialect: ORDERS[dialect.time],
}


class Dialect(NamedTuple):
    """How a table is written."""

    time: str
    delimiter: str
    decimal: str
    thousands: str
    backwards: bool
    header: bool


@st.composite
def dialects(draw: st.DrawFn) -> Dialect:
    decimal = draw(st.sampled_from(",."))
    thousands = draw(st.sampled_from(["", " ", "'", "." if decimal == "," else ","]))
    time, delimiter = draw(st.sampled_from(list(TIMES))), draw(st.sampled_from(",;\t|"))
    return Dialect(time, delimiter, decimal, thousands, draw(st.booleans()), draw(st.booleans()))


def number(value: float, dialect: Dialect) -> str:
    plain = f"{value:,.2f}".replace(",", "#").replace(".", dialect.decimal)
    return plain.replace("#", dialect.thousands)


@given(
    dialect=dialects(),
    start=st.datetimes(datetime(2009, 2, 1), datetime(2026, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    step=st.sampled_from([timedelta(minutes=1), timedelta(hours=4), timedelta(days=1)]),
    prices=st.lists(st.integers(100, 100_000_000), min_size=2, max_size=60),
)
@settings(max_examples=300, deadline=None)
def test_a_table_comes_back_or_is_asked(
    dialect: Dialect, start: datetime, step: timedelta, prices: list[int]
) -> None:
    start = start.replace(second=0, microsecond=0)
    table = [
        (start + n * step, price / 100, (price + 7) / 100, (price - 9) / 100, (price + 3) / 100, n * 1234.25)
        for n, price in enumerate(prices)
    ]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=dialect.delimiter)
    if dialect.header:
        writer.writerow(["Date", "Open", "High", "Low", "Close", "Volume"])
    for at, *values in table[::-1] if dialect.backwards else table:
        writer.writerow([TIMES[dialect.time](at), *(number(value, dialect) for value in values)])
    options = ReadOptions()
    found: list[DatasetBar] = []
    damages: list[RowProblem] = []
    while not found:
        try:
            found, damages = read(text.getvalue(), options)
        except UnclearFileError as error:
            options = options.with_option(error.question.option, ANSWERS[error.question.option](dialect))
    assert damages == []
    written = [(int(at.timestamp()) * 1_000_000, *values) for at, *values in table]
    assert sorted(bar[2:] for bar in found) == written


@given(
    st.lists(st.decimals(0, 10**9, places=2), min_size=1, max_size=30), st.sampled_from(",."), st.booleans()
)
def test_numbers_are_what_was_written_or_are_asked(values: list[float], decimal: str, grouped: bool) -> None:
    thousands = {",": ".", ".": ","}[decimal] if grouped else ""
    cells = [
        f"{value:,.2f}".replace(",", "#").replace(".", decimal).replace("#", thousands) for value in values
    ]
    numbers = recognise_numbers(cells, ReadOptions())
    assert [numbers.parse(cell) for cell in cells] == [float(value) for value in values]


def test_a_comma_that_may_be_either_is_asked_until_it_is_told() -> None:
    cells = ["64,123", "7,000"]
    with pytest.raises(UnclearError) as error:
        recognise_numbers(cells, ReadOptions())
    assert (error.value.option, tuple(error.value.values)) == ("decimal", (",", "."))
    assert recognise_numbers(cells, ReadOptions(decimal=",")).parse("64,123") == 64.123
    assert recognise_numbers(cells, ReadOptions(decimal=".")).parse("64,123") == 64123
    assert recognise_numbers(cells, ReadOptions(thousands="comma")).parse("64,123") == 64123


def test_multiples_and_currencies() -> None:
    numbers = recognise_numbers(["$1,234.5", "68.18K"], ReadOptions())
    assert (numbers.parse("$1,234.5"), numbers.parse("68.18K", multiples=True)) == (1234.5, 68180)
    assert numbers.parse("1.5B", multiples=True) == 1.5e9
    for text in ("68.18K", "K", "1,23.5", "$"):
        with pytest.raises(ValueError, match="expected a number such as"):
            numbers.parse(text)
    assert Numbers().plain


@pytest.mark.parametrize(
    ("steps", "width"),
    [
        ([(60, 500), (1, 1), (120, 9)], Width(60)),
        ([(24 * HOUR_US, 20), (23 * HOUR_US, 1), (25 * HOUR_US, 1)], Width(DAY_US, HOUR_US)),
        ([(23 * HOUR_US, 1)], Width(DAY_US, HOUR_US)),
        ([(7 * DAY_US, 3), (7 * DAY_US - HOUR_US, 1)], Width(7 * DAY_US, HOUR_US)),
        ([(31 * DAY_US, 7), (30 * DAY_US, 4), (28 * DAY_US, 1)], Width(MONTH_US, 4 * DAY_US)),
        ([(28 * DAY_US, 9)], Width(28 * DAY_US)),
        ([(30 * DAY_US, 9)], Width(30 * DAY_US)),
        ([(92 * DAY_US, 2), (90 * DAY_US, 1), (91 * DAY_US, 1)], Width(3 * MONTH_US, 4 * DAY_US)),
        ([(60, 1), (300, 1)], Width(60)),
    ],
)
def test_the_width_is_what_most_steps_are(steps: list[tuple[int, int]], width: Width) -> None:
    assert width_of(Step("A", us, bars) for us, bars in steps) == width
    # What a symbol has once does not decide beside what another has often.
    assert width_of([*(Step("A", us, bars + 1) for us, bars in steps), Step("B", 17, 1)]) == width


def test_the_narrowest_of_the_symbols_decides() -> None:
    assert width_of([Step("A", 3600, 50), Step("B", 60, 20)]) == Width(60)
    assert width_of([]) is None
