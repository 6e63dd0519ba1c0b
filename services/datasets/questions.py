"""Questions that a file leaves open: the option for each, and how each value reads the first lines."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from services.common.compressed_files import FileError


class Reading(NamedTuple):
    """A value of the option, and the first bars that it gives: symbol, start (epoch, us), prices and volume."""

    value: str
    bars: list[dict[str, Any]]


class Question(NamedTuple):
    """An option that the user must set, with its possible readings; none where these cannot be counted."""

    option: str
    readings: list[Reading]


class UnclearFileError(FileError):
    """A file that can be read in several ways: `question` says in which."""

    def __init__(self, name: str, detail: str, question: Question, line: int | None = None) -> None:
        super().__init__(name, detail, line)
        self.question = question


class UnclearError(Exception):
    """An option that lines do not tell; `values` are the readings there are."""

    def __init__(self, option: str, values: Sequence[str], detail: str) -> None:
        super().__init__(detail)
        self.option = option
        self.values = values
