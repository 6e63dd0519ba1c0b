"""Finding of a check: whether what pairstream needs is there, and what would be right."""

from typing import Literal, NamedTuple

Status = Literal["ok", "warn", "fail"]


class CheckFinding(NamedTuple):
    """One line of the doctor: the name of the check, its status, what was found, and what to do unless it is ok."""

    check: str
    status: Status
    found: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.status:<4}  {self.check:<10}  {self.found}" + (
            f": {self.advice}" if self.advice else ""
        )
