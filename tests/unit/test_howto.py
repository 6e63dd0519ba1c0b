"""Every recipe of docs/howto does what it says: its diffs are applied to a copy of the tree, and the thing is there."""

from pathlib import Path

import pytest

from tests.howto import RECIPES, changes, run, walked

# Programs that run in the changed tree, where the names are that a recipe adds.
SETTING = """
from services.common.settings import load
from services.ui.settings import UiSettings

print(load(UiSettings).ui_motto)
"""
PAGE = """
import dash

from services.ui.app import ADDRESSES
from services.ui.pages import PAGES
from services.ui.shell.layout import shell
from services.ui.state.page_context import PageContext, Selection
from services.ui.state.live_state import LiveState, Now
from services.ui.api.types import WatchedPair
from tests.unit.ui.answers import answer
from tests.unit.ui.dashboard import ask, target

(page,) = [page for page in PAGES if page.name == "notes"]
market = LiveState()
market.watch([answer(WatchedPair, pair="ETHUSDT-BTCUSDT", y="ETHUSDT", x="BTCUSDT", entry_z=2.0)], [])
view = page.view(PageContext(market, None, None, None))
(answer,) = ask(target("/"))
print(answer.status_code, dash.page_registry["notes"]["path"], "notes" in ADDRESSES)
print([link.href for link in shell()._traverse() if getattr(link, "id", "") == "menu-notes"])
print(view.step(Selection("tab", "notes"), Now(0, 0.0)))
"""
ESTIMATOR = """
from typing import get_args

from services.contracts.messages import Method, PairConfig
from services.quant.estimators.registry import ESTIMATORS, create
from services.ui.analysis.query import METHODS

estimator = create("rma", 10)
for x in range(10):
    estimator.update(3.0 - 2.0 * x, float(x))
fit = estimator.get()
assert set(get_args(Method)) == set(ESTIMATORS) == set(METHODS)
print(fit.hedge_ratio, fit.intercept, PairConfig(pair="ETHUSDT-BTCUSDT", method="rma").method)
"""
VENUE = """
import asyncio

from services.common.errors import BadMessageError
from services.common.settings import load
from services.ingest.settings import IngestSettings
from services.ingest.venues import registry

FRAME = b'{"s":"BTCUSDT","i":7,"t":1767225600123,"p":"64123.4","q":"0.2","m":true}'


async def main():
    settings = load(IngestSettings, {"PAIRSTREAM_SYMBOLS": "BTCUSDT.DEMO"})
    async with registry.opened(settings) as venues:
        demo = venues[registry.venue_of("BTCUSDT.DEMO")]
        stream = demo.stream("trades", "BTCUSDT.DEMO")
        print(demo.url(stream.route, [stream]), demo.subscribe([stream], 7))
        (tick,) = demo.parse(FRAME, 1)
        print(tick.symbol, tick.trade_id, tick.event_us, tick.price, tick.size, tick.buyer_is_maker)
        try:
            demo.parse(FRAME[:-9], 1)
        except BadMessageError as error:
            print(error)


asyncio.run(main())
"""
HELP = ["-m", "services.cli", "--help"]
# Those that take a database.
ELSEWHERE = {"add-a-signal-column", "add-a-bar-interval"}
WALKED = {"add-a-command", "add-a-page", "add-a-setting", "add-a-venue", "add-an-estimator"}


def test_every_recipe_is_walked_through() -> None:
    assert {path.stem for path in RECIPES.glob("*.md")} == ELSEWHERE | WALKED


def test_a_recipe_that_is_stale_is_told_from_one_that_is_not(tmp_path: Path) -> None:
    (found,) = changes("```diff\n+++ a.py\n one\n-two\n+three\n```\n")
    assert found == ("a.py", "one\ntwo\n", "one\nthree\n")
    with pytest.raises(AssertionError, match=r"expected \+\+\+ and a path, received two"):
        changes("```diff\ntwo\n```\n")
    with pytest.raises(AssertionError, match="expected at least one block"):
        changes("nothing to do")


def test_a_command_is_in_the_help_and_runs(tmp_path: Path) -> None:
    root = walked("add-a-command", tmp_path)
    assert "hello" in run(root, *HELP)
    assert run(root, "-m", "services.cli", "hello", "trader") == "hello trader\n"
    assert "hello" not in run(Path(__file__).parents[2], *HELP)


def test_a_setting_is_read_from_its_variable_and_its_file(tmp_path: Path) -> None:
    root = walked("add-a-setting", tmp_path)
    assert run(root, "-c", SETTING, PAIRSTREAM_UI_MOTTO="every tick") == "every tick\n"
    (tmp_path / "motto").write_text("one tape\n")
    assert run(root, "-c", SETTING, PAIRSTREAM_UI_MOTTO_FILE=str(tmp_path / "motto")) == "one tape\n"
    with pytest.raises(AssertionError, match=r"PAIRSTREAM_UI_MOTTO: .*80"):
        run(root, "-c", SETTING, PAIRSTREAM_UI_MOTTO="x" * 81)


def test_a_page_answers_and_is_in_the_menu(tmp_path: Path) -> None:
    root = walked("add-a-page", tmp_path)
    assert run(root, "-c", PAGE).splitlines() == [
        "200 /notes True",
        "['/notes']",
        "{'notes-pairs': {'children': 'Pairs watched: 1'}}",
    ]


def test_an_estimator_is_registered_and_can_be_chosen(tmp_path: Path) -> None:
    root = walked("add-an-estimator", tmp_path)
    assert run(root, "-c", ESTIMATOR) == "-2.0 3.0 rma\n"


def test_a_venue_is_in_the_registry_and_its_frames_are_read(tmp_path: Path) -> None:
    root = walked("add-a-venue", tmp_path)
    address, tick, damaged = run(root, "-c", VENUE).splitlines()
    assert address == 'wss://ws.demo.example/trades {"id": 7, "add": ["BTCUSDT"]}'
    assert tick == "BTCUSDT.DEMO 7 1767225600123000 64123.4 0.2 True"
    assert damaged.startswith("expected a trade of Demo, received b'{")
