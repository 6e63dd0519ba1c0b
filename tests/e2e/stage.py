"""Set-up of browser tests: the fake API and the dashboard as processes, and a page that is watched."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.parse import urlencode, urlparse
from urllib.request import Request, urlopen

from playwright.sync_api import Page

from tests.ports import free_port

T = TypeVar("T")
CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
FAKE_API = Path(__file__).with_name("fake_api.py")


def until(read: Callable[[], T], seconds: float = 10.0, every: float = 0.05) -> T:
    """Return the first truthy answer of `read`; AssertionError with the last one after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := read()):
        assert time.monotonic() < deadline, f"still {answer!r} after {seconds} s"
        time.sleep(every)
    return answer


class Served:
    """A process that serves HTTP on one port, and can be stopped and started again on the same one."""

    def __init__(self, command: list[str], port: int, ready: str, **environ: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._command = command
        self._ready = self.url + ready
        self._environ = {**os.environ, **environ}
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(self._command, env=self._environ)
        try:
            until(lambda: process.poll() is None and _answers(self._ready), 90)
        except AssertionError:
            process.kill()
            raise
        return process

    def stop(self) -> float:
        """Stop the process as ``pairstream up`` would, and return how long that took in seconds."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        return time.monotonic() - began

    def start(self) -> None:
        """Start the process again."""
        self.process = self._start()

    def post(self, path: str, **query: object) -> Any:
        """Post to the process and return its JSON answer."""
        with urlopen(Request(f"{self.url}{path}?{urlencode(query)}", method="POST"), timeout=5) as answer:
            return json.load(answer)

    def get(self, path: str) -> Any:
        """Return what the process answers, from JSON."""
        with urlopen(f"{self.url}{path}", timeout=5) as answer:
            return json.load(answer)

    def __enter__(self) -> "Served":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.stop()


def serve_fake_api(feed: str = "synthetic") -> Served:
    """Start the fake API."""
    port = free_port()
    return Served(
        [sys.executable, str(FAKE_API), str(port), feed],
        port,
        "/v1/status",
        PYTHONPATH=str(FAKE_API.parents[2]),
    )


def serve_dashboard(api_url: str) -> Served:
    """Start the dashboard over the API at `api_url`."""
    port = free_port()
    return Served(
        [sys.executable, "-m", "services.ui"],
        port,
        "/healthz",
        PAIRSTREAM_API_URL=api_url,
        PAIRSTREAM_UI_PORT=str(port),
    )


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=1):
            return True
    except (URLError, OSError):
        return False


# The link, and by id each text that Dash holds and the page does not show.
STANDS_AT = """() => {
    const isText = (owner) => owner && owner.namespace === "dash_html_components"
        && typeof owner.props.children === "string";
    const stale = [...document.querySelectorAll("[id]")].map((element) => [element, pairstream.held(element.id)])
        .filter(([element, owner]) => isText(owner) && owner.props.children !== element.textContent)
        .map(([element, owner]) => [element.id, owner.props.children, element.textContent]);
    return [document.body.dataset.link, stale];
}"""


@dataclass
class Dashboard:
    """The page in a browser; whatever the browser complained of, and whatever it asked of anyone else, is kept."""

    page: Page
    problems: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def watch(self, url: str) -> None:
        """Note console errors, uncaught errors and requests beyond the page's own origin."""
        own = urlparse(url).netloc
        self.page.on("console", lambda message: self.said.append(f"{time.time():.1f} {message.text[:300]}"))
        self.page.on(
            "console", lambda message: self.problems.append(message.text) if message.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on(
            "request", lambda request: self.foreign.append(request.url) if _beyond(request.url, own) else None
        )

    def report(self) -> str:
        """Return what the page stands at, for the reader of a test that failed."""
        at = {name: self.props(name).get("data") for name in ("selection", "mark", "kick", "taken")}
        link, stale = self.page.evaluate(STANDS_AT)
        said = "\n  ".join(self.said[-30:])
        return f"{self.page.url} {time.time():.1f} {link} {at}\n  not drawn: {stale}\n  {said}"

    def text(self, element: str) -> str:
        """Return the text of the element with this id."""
        return self.page.locator(f"#{element}").inner_text()

    def classes(self, element: str) -> str:
        """Return the classes of the element with this id."""
        return self.page.locator(f"#{element}").get_attribute("class") or ""

    def props(self, element: str) -> dict[str, Any]:
        """Return the Dash properties of a component as the browser holds them now."""
        # Before the page is drawn Dash throws.
        read = "id => { try { return window.dash_component_api.getLayout(id).props; } catch { return {}; } }"
        props: dict[str, Any] = self.page.evaluate(read, element)
        return props

    def bars(self) -> int:
        """Return how many candles the chart was given."""
        series = self.props("chart-candles").get("series")
        return len(series[0]["data"]) if series else 0

    def colors_drawn(self, chart: str) -> int:
        """Return how many different colours the chart's canvases show; an empty chart has few."""
        count = """id => {
            const colors = new Set();
            for (const canvas of document.querySelectorAll(`#${id} canvas`)) {
                const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
                for (let i = 0; i < pixels.length; i += 4)
                    if (pixels[i + 3] === 255) colors.add((pixels[i] << 16) | (pixels[i + 1] << 8) | pixels[i + 2]);
            }
            return colors.size;
        }"""
        return int(self.page.evaluate(count, chart))

    def changes(self, element: str, times: int = 1, seconds: float = 10.0) -> None:
        """Wait until the element's text has changed `times` times."""
        for _ in range(times):
            before = self.text(element)
            until(lambda before=before: self.text(element) != before, seconds)  # type: ignore[misc]


def _beyond(url: str, own: str) -> bool:
    parts = urlparse(url)
    return parts.scheme not in ("data", "blob") and parts.netloc != own
