"""Pages of what an alert is of, for every name a symbol or a pair may have."""

from urllib.parse import parse_qs, unquote, urlsplit

from hypothesis import assume, given

from services.contracts.pairs import Pair
from services.ui.alerts.wording import subject_href
from services.ui.api.client import segment
from services.ui.api.types import HandledAlert
from tests.unit.contracts.test_pairs import SYMBOLS
from tests.unit.ui.answers import answer


def page(subject: str, pair: str | None = None) -> tuple[str, dict[str, list[str]]]:
    """Return the path and the parameters of an alert's page."""
    address = urlsplit(subject_href(answer(HandledAlert, subject=subject, pair=pair)) or "")
    assert address.geturl().isascii()
    return address.path, parse_qs(address.query)


@given(SYMBOLS)
def test_a_symbol_leads_to_the_market(name: str) -> None:
    assert page(name) == ("/", {"symbol": [name]})
    assert page(name, "ETHUSDT-BTCUSDT") == ("/", {"symbol": [name]})


@given(SYMBOLS, SYMBOLS)
def test_a_pair_leads_to_the_pairs_and_stays_one_part_of_a_path(y: str, x: str) -> None:
    assume(y != x)
    name = str(Pair(y, x))
    assert page(name, name) == ("/pairs", {"pair": [name]})
    assert "/" not in segment(name)
    assert unquote(segment(name)) == name


def test_a_service_has_no_page() -> None:
    assert subject_href(answer(HandledAlert, subject="stream analytics", pair=None)) is None
