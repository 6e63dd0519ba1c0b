"""Comparison of clocks: how far this one is off, given how long the answer took."""

import pytest

from services.cli.doctor.servers import _clock


@pytest.mark.parametrize(
    ("ahead_us", "took_s", "status", "found"),
    [
        (0, 0.001, "ok", "within 0.001 s of the venue"),
        (400_000, 0.5, "ok", "within 0.500 s of the venue"),
        (1_500_000, 0.5, "warn", "1.0 s behind the venue"),
        (-700_000, 0.1, "warn", "0.7 s ahead of the venue"),
        (9_000_000, 1.0, "fail", "8.0 s behind the venue"),
        (-9_000_000, 1.0, "fail", "9.0 s ahead of the venue"),
    ],
)
def test_a_clock_that_is_off_is_said(ahead_us: int, took_s: float, status: str, found: str) -> None:
    finding = _clock("the venue", ahead_us, took_s)
    assert (finding.check, finding.status, finding.found) == ("clock", status, found)
