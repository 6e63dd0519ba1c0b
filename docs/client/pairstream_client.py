"""Read pairstream from a notebook or a bot: one file to copy.

It needs httpx; only for frames pandas, only for the stream websockets, and only for `plot` plotly.
"""

import json
import math
import os
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypedDict, TypeVar
from urllib.parse import quote, urlencode

import httpx

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure

Row = dict[str, Any]
Moment = datetime | str | int
"""A datetime with its zone, ISO 8601 text with its zone, or whole microseconds since 1970."""
Interval = Literal["1s", "5s", "15s", "1m", "5m", "15m", "1h", "4h", "1d"]
Topic = Literal["ticks", "signals", "alerts", "radar", "status"]

PAGE_ROWS = 10_000
RETRIES = 3
RECONNECT_S = 1.0
REFUSED = 1008
REFUSALS = (400, 401, 403, 404, 422)


class Tick(TypedDict):
    """One trade; `received_us` is when pairstream got it."""

    symbol: str
    trade_id: int
    event_us: int
    event_time: str
    received_us: int
    received_time: str
    venue: str
    price: float
    size: float
    buyer_is_maker: bool
    repaired: bool


class Bar(TypedDict):
    """The trades of one interval; one without a trade has no bar, and a dataset only what its files had.

    It is `closed` once its time has passed; `coverage` is the share of that time for which there was data. In a
    `carried` bar nothing traded. `complete`, closed with a coverage of 1, goes with the next version.
    """

    start_us: int
    start_time: str
    open: float
    high: float
    low: float
    close: float
    volume: float | None
    quote_volume: float | None
    vwap: float | None
    trade_count: int | None
    closed: bool
    coverage: float
    carried: bool
    complete: bool  # deprecated


class Signal(TypedDict):
    """A pair at the end of one second; `reason` says why what is None could not be computed.

    `late` trades came after the second had closed; `revision` counts how often it was corrected.
    """

    pair: str
    event_us: int
    event_time: str
    y_price: float
    x_price: float
    hedge_ratio: float | None
    intercept: float | None
    method: str
    spread: float | None
    zscore: float | None
    price_correlation: float | None
    correlation: float | None  # deprecated
    window: int
    samples: int
    quality: Literal["ok", "not_enough_data", "stale"]
    reason: str | None
    late: int
    revision: int
    hedge_ratio_se: float | None
    r_squared: float | None
    zscore_rank: float | None
    outlier: bool
    outliers: int
    return_correlation: float | None
    lead_lag_s: float | None
    reversion: Literal["reverting", "unproven", "broken"] | None
    cointegration_p: float | None
    half_life_s: float | None
    half_life_low_s: float | None
    half_life_high_s: float | None
    filled: str | None


class Alert(TypedDict):
    """One transition of one rule on one subject: a pair, a symbol, a service.

    `values` are the numbers that caused it, what was measured under the name in `metric`. `value` and `threshold` are
    None where the rule does not compare two numbers, `pair` where it has to do with none. What holds is the latest
    transition of a rule and subject that is not `retracted` and that none has retracted. `rule_id` is the old name of
    `rule`.
    """

    alert_id: str
    rule_id: str
    pair: str | None
    event_us: int
    event_time: str
    state: Literal["firing", "resolved", "retracted", "pending", "recovering", "no_data", "error", "ended"]
    value: float | None
    threshold: float | None
    message: str
    y_age_s: float | None
    x_age_s: float | None
    retracts: str | None
    reversion: Literal["reverting", "unproven", "broken"] | None
    rule: str
    metric: str
    subject: str
    severity: Literal["info", "warning", "critical"]
    labels: dict[str, str]
    values: dict[str, float]
    incident_id: str
    duration_s: float | None
    valid_until_us: int | None
    valid_until_time: str | None
    retracted_by: str | None
    acked_us: int | None
    acked_time: str | None
    acked_by: str | None
    snoozed_until_us: int | None
    snoozed_until_time: str | None


class Incident(TypedDict):
    """One incident of one rule on one subject, from the alert that opened it, `alert_id`, to its end.

    It began at `event_us`, where `value`, `values` and `message` are from; `firing`, `no_data` and `error` are open.
    `peak` is the z-score farthest from 0 while it lasted.
    """

    alert_id: str
    rule_id: str
    pair: str | None
    event_us: int
    event_time: str
    value: float | None
    threshold: float | None
    message: str
    y_age_s: float | None
    x_age_s: float | None
    reversion: Literal["reverting", "unproven", "broken"] | None
    rule: str
    metric: str
    subject: str
    severity: Literal["info", "warning", "critical"]
    labels: dict[str, str]
    values: dict[str, float]
    incident_id: str
    valid_until_us: int | None
    valid_until_time: str | None
    state: Literal["firing", "no_data", "error", "resolved", "ended", "retracted"]
    end_us: int | None
    end_time: str | None
    duration_s: float | None
    ended_by: str | None
    peak: float | None
    retracted_by: str | None
    acked_us: int | None
    acked_time: str | None
    acked_by: str | None
    snoozed_until_us: int | None
    snoozed_until_time: str | None
    false_us: int | None
    false_time: str | None
    false_by: str | None
    note: str


R = TypeVar("R", bound=Mapping[str, Any])


class ProblemError(Exception):
    """The API refused: `status`, `title`, `detail`, and `problem`, the whole document (RFC 9457)."""

    def __init__(self, response: httpx.Response) -> None:
        try:
            self.problem: Row = dict(response.json())
        except (ValueError, TypeError):
            self.problem = {}
        self.status = response.status_code
        self.title = str(self.problem.get("title", response.reason_phrase))
        self.detail = str(self.problem.get("detail", response.text[:200]))
        super().__init__(f"{self.status} {self.title}: {self.detail}")


class Table(list[R], Generic[R]):
    """Rows of one resource; `feed` names the market they come from: live, replay or synthetic."""

    feed: str | None = None

    def frame(self) -> "pd.DataFrame":
        """Return a DataFrame; its times are UTC timestamps, and the first of them is the index."""
        import pandas as pd

        frame = pd.DataFrame(self)
        times = [name for name in frame if name.endswith("_time")]
        for name in times:
            frame[name] = pd.to_datetime(frame[name], format="ISO8601", utc=True)
        return frame.set_index(times[0]) if times else frame


class Client:
    """Asks one API. Every call raises ProblemError if the API refuses, httpx.HTTPError if it is not there.

    `url` and `key` are those of PAIRSTREAM_API_URL and PAIRSTREAM_API_KEY unless given. What the API has too much
    of at the moment (429, 503) is asked for again after the time that it names.
    """

    def __init__(self, url: str | None = None, key: str | None = None, timeout_s: float = 30) -> None:
        self.url = (url or os.environ.get("PAIRSTREAM_API_URL") or "http://127.0.0.1:8000").rstrip("/")
        key = key or os.environ.get("PAIRSTREAM_API_KEY")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=self.url, headers=self._headers, timeout=timeout_s)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def status(self) -> Row:
        """Return the health of every service and how complete each symbol's tape is."""
        return self.get("/v1/status")

    def symbols(self) -> Table[Row]:
        """Return the last price and the last day of every symbol."""
        return self.table("/v1/symbols")

    def ticks(
        self, symbol: str, start: Moment, end: Moment | None = None, limit: int | None = None
    ) -> Table[Tick]:
        """Return trades from `start` to before `end`, oldest first: all of them, or the first `limit`."""
        return self.table("/v1/ticks", limit, symbol=symbol, start=start, end=end)

    def bars(
        self,
        symbol: str,
        interval: Interval = "1m",
        start: Moment | None = None,
        end: Moment | None = None,
        limit: int | None = None,
        dataset: str | None = None,
        **parameters: Any,
    ) -> Table[Bar]:
        """Return bars that begin from `start` to before `end`, oldest first; without `start` the newest.

        `parameters` are others of the route in /docs: `carried="drop"` leaves out bars in which nothing traded.
        """
        asked = {"symbol": symbol, "interval": interval, "start": start, "end": end, "dataset": dataset}
        return self.table("/v1/bars", limit, **asked, **parameters)

    def pairs(self) -> Table[Row]:
        """Return every pair with its settings and its last signal."""
        return self.table("/v1/pairs")

    def pair(self, pair: str) -> Row:
        """Return one pair with its settings and its last signal."""
        return self.get(_path("/v1/pairs", pair))

    def put_pair(self, pair: str, **settings: Any) -> Row:
        """Watch a pair, with these settings and the defaults of all others, and return it; `change` changes some."""
        return self.change("PUT", _path("/v1/pairs", pair), **settings)

    def delete_pair(self, pair: str) -> None:
        """Watch a pair no longer."""
        self.send("DELETE", _path("/v1/pairs", pair))

    def signals(
        self, pair: str, start: Moment | None = None, end: Moment | None = None, limit: int | None = None
    ) -> Table[Signal]:
        """Return signals from `start` to before `end`, oldest first; without `start` the newest."""
        return self.table(_path("/v1/pairs", pair, "signals"), limit, start=start, end=end)

    def plot(
        self, pair: str, start: Moment | None = None, end: Moment | None = None, limit: int | None = None
    ) -> "Figure":
        """Return a Plotly figure of spread and z-score with the thresholds and alerts; ranges are those of `signals`.

        Seconds without a number are gaps in the lines. ImportError, with what to install, without plotly.
        """
        try:
            from plotly.subplots import make_subplots
        except ImportError as error:
            raise ImportError("client.plot() draws with plotly: pip install plotly") from error
        signals, settings = self.signals(pair, start, end, limit), self.pair(pair)
        figure = make_subplots(rows=2, cols=1, shared_xaxes=True, subplot_titles=("Spread", "z-score"))
        times = [signal["event_time"] for signal in signals]
        for row, name in ((1, "spread"), (2, "zscore")):
            # Plotly joins nothing across None.
            values = [signal.get(name) if signal["quality"] == "ok" else None for signal in signals]
            figure.add_scatter(x=times, y=values, name=name, mode="lines", row=row, col=1)
        for level, dash in ((settings["entry_z"], "dash"), (settings["exit_z"], "dot")):
            for value in (level, -level):
                figure.add_hline(y=value, line_dash=dash, line_width=1, row=2, col=1)
        at = {signal["event_us"]: signal for signal in signals}
        fired = self.alerts(PAGE_ROWS, pair=pair, start=times[0], end=end) if times else Table[Alert]()
        marked = [alert for alert in fired if alert["event_us"] in at]
        figure.add_scatter(
            x=[alert["event_time"] for alert in marked],
            y=[at[alert["event_us"]]["zscore"] for alert in marked],
            text=[f"{alert['state']}: {alert['message']}" for alert in marked],
            name="alerts",
            mode="markers",
            marker_symbol=["square" if alert["state"] == "firing" else "square-open" for alert in marked],
            row=2,
            col=1,
        )
        return figure.update_layout(title=f"{pair}, {signals.feed} feed", hovermode="x unified")

    def analysis(self, pair: str, **parameters: Any) -> Row:
        """Return the whole analysis of a pair over bars; `parameters` are those of the route in /docs.

        Of a `dataset` bars in which nothing traded are left out, unless `carried="keep"`.
        """
        return self.get(_path("/v1/pairs", pair, "analysis"), **parameters)

    def work(self, pair: str, at: Moment) -> Row:
        """Return how the signal of the second `at` comes about: its window, the arithmetic, and a program for it."""
        return self.get(_path("/v1/pairs", pair, "signals", str(_written({"at": at})["at"]), "work"))

    def calibration(self, pair: str, **parameters: Any) -> Row:
        """Return what a pair's z-score has done, beside the standard normal; `parameters` are those of the route."""
        return self.get(_path("/v1/pairs", pair, "calibration"), **parameters)

    def alerts(self, limit: int | None = None, **parameters: Any) -> Table[Alert]:
        """Return alerts, newest first; `parameters` are those of the route, such as `rule`, `subject`."""
        return self.table("/v1/alerts", limit, **parameters)

    def incidents(self, limit: int | None = None, **parameters: Any) -> Table[Incident]:
        """Return incidents, the last begun first; `parameters` are those of the route, such as `rule`, `state`."""
        return self.table("/v1/incidents", limit, **parameters)

    def upload(self, name: str, *files: str | Path, **options: Any) -> Row:
        """Store CSV files of bars as a dataset; `options` are those of the form in /docs."""
        with ExitStack() as stack:
            opened = [("files", stack.enter_context(Path(file).open("rb"))) for file in files]
            form = {"name": name, **options}
            return dict(self.send("POST", "/v1/datasets", data=form, files=opened).json())

    def get(self, path: str, **parameters: Any) -> Row:
        """Return what a route answers; a parameter that is None is left out."""
        return dict(self.send("GET", path, params=_written(parameters)).json())

    def change(self, method: str, path: str, **body: Any) -> Row:
        """Return what a route answers that changes something."""
        return dict(self.send(method, path, json=body or None).json())

    def table(self, path: str, limit: int | None = None, **parameters: Any) -> Table[Any]:
        """Return the rows of a route, page after page, at most `limit` of them."""
        table: Table[Any] = Table()
        for document in self.pages(path, limit, **parameters):
            table.feed = document["feed"]
            table += document["data"]
        return table

    def pages(self, path: str, limit: int | None = None, **parameters: Any) -> Iterator[Row]:
        """Yield what a route answers: one page, or with a `start` all of them, with at most `limit` rows together."""
        is_whole = parameters.get("start") is not None
        left = math.inf if limit is None else limit
        parameters["limit"] = limit
        while True:
            if is_whole:
                parameters["limit"] = int(min(PAGE_ROWS, left))
            document = self.get(path, **parameters)
            yield document
            left -= len(document["data"])
            parameters["cursor"] = document.get("next_cursor")
            if not is_whole or left <= 0 or parameters["cursor"] is None:
                return

    def stream(
        self,
        topics: Iterable[Topic] = (),
        symbols: Iterable[str] = (),
        pairs: Iterable[str] = (),
        **parameters: Any,
    ) -> Generator[Row, None, None]:
        """Yield the messages of the live stream: of these topics, symbols and pairs, or of all; it never ends.

        It brings every closed signal and every alert, but of ticks only the latest of each symbol: `ticks` has all.
        A stream that breaks is opened again, also while the API starts again, and goes on after the last message where
        the API still knows what came since; otherwise with a new message of type `snapshot`. websockets.InvalidStatus
        or ConnectionClosedError, with the reason, if the API does not want it.
        """
        from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
        from websockets.sync.client import connect

        lists = {"topics": topics, "symbols": symbols, "pairs": pairs}
        asked = {name: ",".join(names) for name, names in lists.items() if names} | parameters
        has_begun = False
        while True:
            url = f"ws{self.url.removeprefix('http')}/v1/stream?{urlencode(asked)}"
            try:
                with connect(url, additional_headers=self._headers, max_size=None) as socket:
                    for text in socket:
                        message = dict(json.loads(text))
                        if "id" in message:
                            asked["last_event_id"] = message["id"]
                        has_begun = True
                        yield message
            except ConnectionClosed as closed:
                if closed.rcvd is not None and closed.rcvd.code == REFUSED:
                    raise
            except (OSError, InvalidHandshake) as error:
                is_refused = isinstance(error, InvalidStatus) and error.response.status_code in REFUSALS
                if is_refused or not has_begun:
                    raise
            time.sleep(RECONNECT_S)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return the answer to a request; `options` are those of httpx."""
        for attempt in range(RETRIES + 1):
            response = self._http.request(method, path, **options)
            pause = response.headers.get("Retry-After", "")
            if response.status_code not in (429, 503) or not pause.isdigit() or attempt == RETRIES:
                break
            time.sleep(int(pause))
        if response.is_error:
            raise ProblemError(response)
        return response


def _path(*parts: str) -> str:
    return "/".join((parts[0], *(quote(part, safe="") for part in parts[1:])))


def _written(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in parameters.items()
        if value is not None
    }
