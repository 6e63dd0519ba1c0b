"""``GET /v1/correlation``: the correlation matrix of symbols."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, Field

from services.api.analysis import close_source
from services.api.analysis.requests import MatrixRequest
from services.api.models.correlation import Cell, Correlation, CorrelationMethod, Of
from services.api.parameters import BackendDependency
from services.api.problems import RESPONSES
from services.api.serialization.listing import TABLE_RESPONSES, TableAnswer
from services.common.setting_types import split
from services.contracts.pairs import SYMBOL
from services.contracts.symbol_forms import spelled_symbol

router = APIRouter(prefix="/v1", tags=["pairs"])

SYMBOLS_MAX = 50


def _symbols(text: str | None) -> str | None:
    if text is None:
        return None
    names = list(dict.fromkeys(map(spelled_symbol, split(text))))
    if not 2 <= len(names) <= SYMBOLS_MAX:
        raise ValueError(f"expected 2 to {SYMBOLS_MAX} different symbols, received {len(names)}")
    return ",".join(names)


class CorrelationQuery(close_source.ClosesQuery):
    """Query of the correlation matrix: the symbols, and the options."""

    symbols: Annotated[
        str | None,
        AfterValidator(_symbols),
        Field(
            description=f"2 to {SYMBOLS_MAX} known symbols, separated by commas; without it "
            f"the first {SYMBOLS_MAX} there are.",
            examples=["BTCUSDT,ETHUSDT"],
            json_schema_extra={"pattern": f"^{SYMBOL.pattern}(,{SYMBOL.pattern}){{1,{SYMBOLS_MAX - 1}}}$"},
        ),
    ] = None
    method: Annotated[
        CorrelationMethod, Field(description="Spearman's is of ranks.", examples=["pearson"])
    ] = "pearson"
    of: Annotated[
        Of,
        Field(
            description="Log returns, or closes, which trend together by chance: correlations of prices mislead.",
            examples=["returns"],
        ),
    ] = "returns"


@router.get("/correlation", response_model=Correlation, responses=TABLE_RESPONSES | RESPONSES)
async def read_correlation(
    request: Request, query: Annotated[CorrelationQuery, Query()], backend: BackendDependency
) -> Response:
    """Return the correlation of every two symbols, over the closed bars that the two have in common.

    No price is carried forward, so each cell has its own number of samples, at least 30. A return is between
    neighbouring common bars, however far apart: `breaks` counts those that are not the next interval.
    """
    bars = await close_source.find(backend, query)
    names = query.symbols.split(",") if query.symbols else (await bars.symbols())[:SYMBOLS_MAX]
    subject = await bars.subject(query, names)
    table = TableAnswer(request, query.format, Cell, {})
    question = MatrixRequest(
        subject=subject,
        form=table.format,
        path=request.url.path,
        method=query.method,
        of=query.of,
    )
    return await backend.answers.respond(request, table, question)
