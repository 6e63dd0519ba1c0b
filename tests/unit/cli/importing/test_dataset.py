"""What `pairstream import --read` tells of files of bars."""

import pytest

from services.cli.importing.dataset import read_options
from services.common.errors import FatalError
from services.datasets.options import ReadOptions


def test_options_are_told_by_name() -> None:
    told = [
        "date_order=mdy",
        "zone=Europe/Berlin",
        'mapping={"close": "Adj Close", "time": 1}',
        "time_format=%d.%m.%Y",
    ]
    assert read_options(told) == ReadOptions(
        date_order="mdy",
        zone="Europe/Berlin",
        mapping={"close": "Adj Close", "time": 1},
        time_format="%d.%m.%Y",
    )
    assert read_options([]) == ReadOptions()


@pytest.mark.parametrize(
    "told", ["date_order=ydm", "month_first", "zone=Mars/Olympus", "mapping={", "mapping=[1]", "thousands=."]
)
def test_what_is_no_option_is_refused(told: str) -> None:
    with pytest.raises(FatalError, match="--read"):
        read_options([told])
