"""What the workers are asked."""

from msgspec import Struct

from services.api.answers.listing import Format
from services.api.models.correlation import CorrelationMethod, Of
from services.api.stored.history import Closes
from services.quant.options import Options


class Subject(Struct, frozen=True, kw_only=True):
    """The closes of each symbol, and where they are from."""

    feed: str | None
    dataset: str | None
    width_us: int
    closes: dict[str, Closes]


class Question(Struct, frozen=True, kw_only=True):
    """What is asked, of what, at which `path`, and in which form it is answered."""

    subject: Subject
    form: Format
    path: str


class PairQuestion(Question, frozen=True, kw_only=True):
    """The first of the closes is Y, the second X; the name of both is `pair`."""

    pair: str
    options: Options
    series: bool


class MatrixQuestion(Question, frozen=True, kw_only=True):
    """All of the closes against each other."""

    method: CorrelationMethod
    of: Of


def solve(question: Question) -> bytes:
    """Return the answer to `question`.

    For workers: what this imports would hold up the start of the API for seconds.
    """
    from services.api.analysis import work

    return work.solve(question)
