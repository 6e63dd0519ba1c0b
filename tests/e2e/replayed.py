"""Pipeline over a replay, shared by all test files that look at it."""

import os
import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.common.clock import SECOND, now_us
from services.contracts.messages import Alert, AlertState
from tests import builders
from tests.e2e.stage import Dashboard, until
from tests.fix_pipeline import data_directory
from tests.fixtures.recorded_frames import SYMBOLS, recording
from tests.pipeline import Pipeline, pipeline

PAIR, OTHER_PAIR = "ETHUSDT-BTCUSDT", "SOLUSDT-ETHUSDT"
# Ten seconds a second, so that charts soon have more than they first show.
SPEED = 10
RECORDED_S = 14_400
LOAD_S = 60
# Nothing fires by itself, so that what a test has fired is all there is.
CALM_Z = 20.0


class SharedPipeline:
    """A pipeline that starts when the first file asks for it, and ends with the last that does.

    Where several processes run the tests none knows which files it will get: there it ends with each file, rather than
    run beside all the tests that follow.
    """

    def __init__(self, session: pytest.Session, recorded: Path) -> None:
        self._files = {item.path for item in session.items if "running" in getattr(item, "fixturenames", ())}
        self._recorded = recorded
        self._held = ExitStack()
        self._running: Pipeline | None = None

    def get(self) -> Pipeline:
        """Return the pipeline, with z-scores."""
        if self._running is None:
            self._recorded.write_text("".join(recording(RECORDED_S)), encoding="ascii")
            flags: list[object] = ["--feed", "replay", "--speed", SPEED]
            flags += ["--replay-file", self._recorded]
            flags += ["--symbols", ",".join(SYMBOLS), "--pairs", f"{PAIR},{OTHER_PAIR}"]
            path = self._held.enter_context(data_directory())
            environ = {"PAIRSTREAM_MIN_SAMPLES": "5", "PAIRSTREAM_ENTRY_Z": str(CALM_Z)}
            self._running = up = self._held.enter_context(pipeline(path, *flags, environ=environ))
            up.wait_until(lambda: bool(zscores(up)), "a z-score", 90)
        return self._running

    def release(self, file: Path) -> None:
        """End the pipeline if no other file but `file` is known to need it here."""
        self._files.discard(file)
        if not self._files or "PYTEST_XDIST_WORKER" in os.environ:
            self.close()

    def close(self) -> None:
        """End the pipeline, if there is one."""
        self._running = None
        self._held.close()


def zscores(running: Pipeline) -> list[float]:
    """Return the last z-scores of the pair that are known."""
    signals = running.get(f"/v1/pairs/{PAIR}/signals?limit=5")["data"]
    return [signal["zscore"] for signal in signals if signal["zscore"] is not None]


def alert(
    message: str, pair: str = PAIR, rule_id: str = "zscore-entry", state: AlertState = "firing"
) -> Alert:
    """Return an alert of now."""
    at = now_us()
    return builders.alert(
        alert_id=f"test-{at}", rule_id=rule_id, pair=pair, event_us=at, state=state, message=message
    )


def says(text: str, value: float) -> bool:
    """Tell whether the number that a text begins with is `value`, rounded to the digits it has."""
    found = re.match(r"[+\N{MINUS SIGN}]?[\d\N{NARROW NO-BREAK SPACE}]+(\.\d+)?", text)
    if found is None:
        return False
    shown = found[0].replace("\N{MINUS SIGN}", "-").replace("\N{NARROW NO-BREAK SPACE}", "")
    return float(shown) == float(f"{value:.{len(shown.partition('.')[2])}f}")


def saved(running: Pipeline, link: str | None) -> httpx.Response:
    """Return what the API itself answers to a link of the page that saves something."""
    return httpx.get(running.api + str(link).removeprefix("/download"), timeout=LOAD_S).raise_for_status()


def patch(running: Pipeline, pair: str, **settings: Any) -> None:
    """Have the API measure a pair like that."""
    httpx.patch(f"{running.api}/v1/pairs/{pair}", json=settings).raise_for_status()


def prices(running: Pipeline, symbol: str) -> list[float]:
    """Return the prices of a symbol's trades in the last two minutes of the market."""
    newest = next(
        one["last_event_us"] for one in running.get("/v1/symbols")["data"] if one["symbol"] == symbol
    )
    trades = running.get(f"/v1/ticks?symbol={symbol}&start={newest - 120 * SECOND}&limit=10000")["data"]
    return [trade["price"] for trade in trades]


def answered(dashboard: Dashboard, running: Pipeline, panel: str, **choices: Any) -> dict[str, Any]:
    """Return what the API says to the question a panel has been answered to, which makes these choices."""
    done = f"{panel}-done"
    until(lambda: choices.items() <= (dashboard.props(done).get("data") or {}).items(), LOAD_S)
    link = dashboard.props(f"{panel}-json")["href"]
    assert link, dashboard.text(f"{panel}-status")
    found: dict[str, Any] = saved(running, link).json()
    return found


def has_the_tests(dashboard: Dashboard, panel: str, found: dict[str, Any]) -> None:
    """Wait until a panel shows the verdict and the statistics of an answer of the API."""

    def same() -> bool:
        rows = {row["name"]: row for row in dashboard.props(f"{panel}-rows")["rowData"]}
        shown = [
            (rows[name]["value"], rows[name]["p"], rows[name]["lags"])
            for name in ("Engle-Granger Y on X", "ADF spread")
        ]
        return (
            shown == [(test["statistic"], test["p_value"], test["lags"]) for test in tests]
            and rows["Hedge ratio"]["value"] == found["regression"]["hedge_ratio"]
            and rows["Half-life, s"]["value"] == found["half_life"]["seconds"]
            and found["verdict"]["text"] in dashboard.text(f"{panel}-verdict")
            and dashboard.text(f"{panel}-coverage").startswith(
                f"{found['bars']} bars of {found['bar_s']:g} s"
            )
        )

    tests = [found[part] for part in ("engle_granger_y_on_x", "adf_spread")]
    until(same, LOAD_S)
