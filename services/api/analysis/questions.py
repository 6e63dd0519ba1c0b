"""What the workers are asked."""

from msgspec import Struct

from services.api.answers.listing import Format
from services.api.models.calibration import CalibrationTable
from services.api.models.correlation import CorrelationMethod, Of
from services.api.stored.history import Closes
from services.api.stored.past import Past
from services.quant.entries import Bands
from services.quant.options import Options


class Subject(Struct, frozen=True, kw_only=True):
    """The closes of each symbol, and where they are from."""

    feed: str | None
    dataset: str | None
    width_us: int
    closes: dict[str, Closes]


class Question(Struct, frozen=True, kw_only=True):
    """What is asked at which `path`, and in which form it is answered."""

    form: Format
    path: str


class PairQuestion(Question, frozen=True, kw_only=True):
    """The first of the closes is Y, the second X; the name of both is `pair`."""

    subject: Subject
    pair: str
    options: Options
    series: bool


class MatrixQuestion(Question, frozen=True, kw_only=True):
    """All of the closes against each other."""

    subject: Subject
    method: CorrelationMethod
    of: Of


class CalibrationQuestion(Question, frozen=True, kw_only=True):
    """The past of a pair's z-score, by `bands`; `window` is the pair's in seconds, `windows` how many an entry has."""

    feed: str | None
    pair: str
    past: Past
    bands: Bands
    window: int
    windows: int
    table: CalibrationTable


def solve(question: Question) -> bytes:
    """Return the answer to `question`.

    For workers: what this imports would hold up the start of the API for seconds.
    """
    from services.api.analysis import work

    return work.solve(question)
