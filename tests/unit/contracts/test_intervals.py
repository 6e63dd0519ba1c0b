"""Intervals of bars: the store and the scripts have all of them, and only them."""

import itertools
import json
import re
from pathlib import Path

import services
from services.contracts.intervals import INTERVALS, USUAL, WIDTHS_US
from services.store.bars import timescale
from services.store.relations import BARS

ASSETS = Path(services.__file__).parent / "ui" / "assets"


def test_every_interval_has_a_width_and_a_relation_narrowest_first() -> None:
    assert tuple(WIDTHS_US) == INTERVALS == tuple(BARS)
    assert USUAL in INTERVALS
    assert all(
        wide > narrow and wide % narrow == 0 for narrow, wide in itertools.pairwise(WIDTHS_US.values())
    )
    assert {level.name: level.width_us for level in timescale.LEVELS} == {
        BARS[interval].name: width_us for interval, width_us in WIDTHS_US.items()
    }


def test_no_script_lists_them_again() -> None:
    listed = re.compile("|".join(re.escape(json.dumps(name)) for name in INTERVALS))
    for path in ASSETS.rglob("*.js"):
        many = [
            line for line in path.read_text(encoding="utf-8").splitlines() if len(listed.findall(line)) > 1
        ]
        assert many == [], path.name
