import pytest

from services.ui.charts.measures import CORRELATION, HEDGE_RATIO, SPREAD, ZSCORE, Measure, fixed


@pytest.mark.parametrize(
    ("measure", "value", "text"),
    [
        (HEDGE_RATIO, 0.05231, "0.052310"),
        (SPREAD, 1.25, "+1.250"),
        (ZSCORE, -1.8, "−1.80"),
        (CORRELATION, 0.99996, "+0.99996"),
        (Measure("Any", fixed(1), is_signed=False), 3.14, "3.1"),
        (SPREAD, None, "—"),
    ],
)
def test_a_measure_is_written_with_its_digits(measure: Measure, value: float | None, text: str) -> None:
    assert measure.text(value) == text


def test_an_axis_has_the_digits_of_its_largest_value() -> None:
    assert (SPREAD.decimals(12.3), HEDGE_RATIO.decimals(12.3), ZSCORE.decimals(12.3)) == (2, 3, 2)
