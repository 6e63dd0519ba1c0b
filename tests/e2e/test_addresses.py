"""Addresses with a wrong parameter: each page says which, what was expected, and goes on without it."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.stage import Served

FIRST = {
    "programs?zone=Mars&theme=pink": [
        "zone=Mars; expected a time zone",
        "theme=pink; expected one of dark, light",
    ]
}
# Two that follow are of different pages: the page is opened again, without being loaded.
WRONG = {
    "?interval=7x,1m": ["interval=7x,1m; expected 1, 2, 4 of 1s, 5s,"],
    "pairs?range=1y&panes=zscore,beta&side=none": [
        "range=1y; expected one of 5m, 30m, 2h, 1d",
        "panes=beta; expected prices,",
        "side=none; expected one of tests,",
    ],
    "overview?state=calm&sort=price": [
        "state=calm; expected one of all,",
        "sort=price; expected one of pair,",
    ],
    "pairs?side=whatif&whatif=magic": ["whatif=magic; expected one of ols,"],
    "?interval=1m,5m,1h": ["interval=1m,5m,1h; expected 1, 2, 4 of 1s, 5s,"],
    "pairs?side=whatif&whatif=ols,-5": ["whatif=-5; expected a number above 0"],
    "?log=5,1&levels=BTCUSDT:much": [
        "log=5; expected 1, 2, 3, 4",
        "levels=BTCUSDT:much; expected SYMBOL:PRICE",
    ],
    "pairs?side=whatif&whatif=,,,,,maybe,soon": ["whatif=soon; expected a time such as 2026-01-31T12:00Z"],
    "alerts?state=loud&snoozed=so&from=soon": ["state=loud;", "snoozed=so;", "from=soon; expected a time"],
    "pairs?vs=BTCUSDT": ["vs=BTCUSDT; expected a watched pair, written Y-X, other"],
    "radar?stage=none&of=x&bp=-1": ["stage=none;", "of=x;", "bp=-1; expected a number above 0"],
    "delivery?state=lost&to=x": ["state=lost;", "to=x; expected a time"],
    "upload?show=x&interval=7x&bars=7&kind=x": ["show=x;", "interval=7x;", "bars=7;", "kind=x;"],
    "health?gaps=x": ["gaps=x; expected one of all, open,"],
}
GO = """address => {
    history.pushState({}, "", address);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
}"""


@pytest.mark.parametrize(
    "wrong", [{}, pytest.param(WRONG, marks=pytest.mark.long)], ids=["one page", "every page"]
)
def test_each_wrong_parameter_of_an_address_is_said_and_the_page_goes_on(
    dashboard_server: Served, open_page: OpenPage, wrong: dict[str, list[str]]
) -> None:
    page = open_page(dashboard_server.url, next(iter(FIRST))).page
    said = page.locator("#address-wrong-text")
    for address, expected in (FIRST | wrong).items():
        if address not in FIRST:
            page.evaluate(GO, f"/{address}")
        for text in expected:
            expect(said, address).to_contain_text(text)
    # It is of that page alone, and can be closed.
    page.locator("#address-wrong-close").click()
    expect(page.locator(".address-wrong")).to_be_hidden()
    page.evaluate(GO, "/upload?kind=x")
    expect(said).to_contain_text("kind=x")
    page.locator("#menu-health").click()
    expect(page.locator(".address-wrong")).to_be_hidden()
