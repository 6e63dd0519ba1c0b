"""Noise: paths through time that need no memory."""

import math
from itertools import pairwise

import numpy as np

from services.ingest.feeds.synthetic.noise import PERIOD_S, generator, reverting, walk

FIRST = 2_900_000


def test_streams_differ_by_seed_name_and_index() -> None:
    draws = {
        float(generator(seed, name, index).standard_normal())
        for seed in (1, 2)
        for name in ("a", "b")
        for index in (1, 2)
    }
    assert len(draws) == 8


def test_a_walk_has_no_jump_where_periods_meet_whatever_the_scale() -> None:
    scales = (0.5, 3.0, 1.0)
    periods = [walk(1, "w", FIRST + number, scale) for number, scale in enumerate(scales)]
    joins = [after[0] - before[-1] for before, after in pairwise(periods)]
    assert max(map(abs, joins)) < 4 * max(scales)


def test_a_walks_moves_have_unit_variance_at_every_distance() -> None:
    path = np.concatenate([walk(1, "w", FIRST + number, 1.0) for number in range(600)])
    for seconds in (1, 60, PERIOD_S, 6 * PERIOD_S):
        moves = path[seconds::seconds] - path[:-seconds:seconds]
        standard_error = math.sqrt(2 / len(moves))
        assert abs(np.mean(moves**2) / seconds - 1) < 5 * standard_error


def test_the_reverting_path_has_its_half_life_and_unit_size() -> None:
    path = np.concatenate([reverting(1, "spread", FIRST + number, 60.0, (1.0, 1.0)) for number in range(200)])
    assert abs(path.std() - 1) < 0.1
    assert abs(np.corrcoef(path[60:], path[:-60])[0, 1] - 0.5) < 0.07
    assert np.abs(np.diff(path)).max() < 6 * math.sqrt(1 - 0.5 ** (2 / 60))
