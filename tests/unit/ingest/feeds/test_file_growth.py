"""End of a file that may still be written."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.ingest.feeds.file_growth import STOPPED_S, FileGrowth

WRITTEN_S = 1_700_000_000.0


class Watched:
    """A file that was last written at WRITTEN_S, and clocks that move when told to."""

    def __init__(self, path: Path, age_s: float) -> None:
        self._file = path.open("w+b")
        self._now_s = WRITTEN_S + age_s
        self._file.write(b"line\n")
        self._touch(WRITTEN_S)
        self.growth = FileGrowth(self._file.fileno(), lambda: self._now_s, lambda: self._now_s)

    def _touch(self, at_s: float) -> None:
        self._file.flush()
        os.utime(self._file.fileno(), (at_s, at_s))

    def wait(self, seconds: float) -> None:
        self._now_s += seconds

    def append(self) -> None:
        self._file.write(b"more\n")
        self._touch(self._now_s)

    def close(self) -> None:
        self._file.close()

    def lasts(self, whole: bool = True) -> float:
        """Return for how long the file may go on from now."""
        began_s = self._now_s
        while self.growth.may_go_on(whole):
            self.wait(0.5)
        return self._now_s - began_s


@pytest.fixture
def watched(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Watched]:
    file = Watched(tmp_path / "file", request.param)
    yield file
    file.close()


@pytest.mark.parametrize("watched", [STOPPED_S, 86_400.0], indirect=True)
def test_a_whole_file_of_some_time_ago_is_over_at_once(watched: Watched) -> None:
    assert watched.lasts() == 0


@pytest.mark.parametrize("watched", [4.0], indirect=True)
def test_a_whole_file_of_just_now_is_over_when_it_is_old_enough(watched: Watched) -> None:
    assert watched.lasts() == STOPPED_S - 4


@pytest.mark.parametrize("watched", [-3600.0, 0.0], indirect=True)
def test_a_time_in_the_future_is_not_waited_for(watched: Watched) -> None:
    assert watched.lasts() == STOPPED_S


@pytest.mark.parametrize("watched", [86_400.0], indirect=True)
def test_what_is_not_whole_may_go_on_for_a_while_however_old(watched: Watched) -> None:
    assert watched.lasts(whole=False) == STOPPED_S


@pytest.mark.parametrize("watched", [86_400.0], indirect=True)
def test_a_file_that_has_grown_is_over_when_it_has_stopped(watched: Watched) -> None:
    watched.append()
    watched.wait(3600)
    assert watched.growth.may_go_on(whole=True)
    watched.wait(STOPPED_S - 1)
    watched.append()
    assert watched.lasts() == STOPPED_S
