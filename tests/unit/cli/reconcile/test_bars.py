"""Text of a difference between bars."""

import pytest

from services.cli.reconcile.bars import ReconciledBar, differences

BAR = ReconciledBar(1.0, 4.0, 0.5, 2.0, 10.0, 20.0, 3, 7, 9)


@pytest.mark.parametrize("name", ReconciledBar._fields)
def test_each_column_that_differs_is_named(name: str) -> None:
    (words,) = differences(BAR, BAR._replace(**{name: 100}))
    assert words == f"{name}: expected {getattr(BAR, name)!r}, found 100"


def test_sums_may_differ_in_the_last_digits_and_prices_may_not() -> None:
    assert not list(differences(BAR, BAR._replace(volume=10.000000001, quote_volume=19.999999999)))
    assert list(differences(BAR, BAR._replace(volume=10.0000001)))
    assert list(differences(BAR, BAR._replace(high=4.000000000000001)))


def test_what_is_not_known_is_not_compared() -> None:
    assert not list(differences(BAR._replace(trade_count=None, first_id=None, last_id=None), BAR))


def test_a_bar_too_few_or_too_many() -> None:
    (missing,), (surplus,) = differences(BAR, None), differences(None, BAR)
    assert missing.startswith("missing: expected a bar of open 1.0, high")
    assert surplus.startswith("surplus: expected no bar")
