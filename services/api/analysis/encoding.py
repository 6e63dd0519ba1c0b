"""Encoding of the rows of an analysis as the bytes of the response."""

from collections.abc import Iterable

from services.api.analysis.requests import AnalysisRequest
from services.api.models.base import Record
from services.api.serialization.encoders import CsvEncoder, Encoder, JsonEncoder, ParquetEncoder
from services.api.serialization.rows import JsonRecords, Row


def encoded(
    question: AnalysisRequest, model: type[Record], members: Row, parts: Iterable[JsonRecords]
) -> bytes:
    """Return `parts`, rows of `model`, in the form that `question` asks for, JSON with `members` besides."""
    encoder: Encoder
    match question.form:
        case "json":
            encoder = JsonEncoder(members)
        case "csv":
            encoder = CsvEncoder(model)
        case "parquet":
            said = {
                name: str(value) for name, value in members.items() if isinstance(value, str | int | float)
            }
            encoder = ParquetEncoder(model, {**said, "path": question.path})
    return b"".join([*map(encoder.encode, parts), encoder.finish()])
