"""Settings: frozen, validated once, read from ``PAIRSTREAM_*`` variables or the files their ``_FILE`` twins name."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FilePath,
    ValidationError,
    model_validator,
)

from services.common.errors import FatalError
from services.common.setting_types import Duration, Pairs, Port, Retention, Symbols
from services.contracts.intervals import INTERVALS
from services.contracts.pair_messages import DEFAULTS
from services.contracts.selection import names

PREFIX = "PAIRSTREAM_"


class Settings(BaseModel):
    """Base of every service's settings; a field ``x_y`` is read from ``PAIRSTREAM_X_Y``.

    The text below a field describes it, with its unit, in docs/settings.md.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        validate_default=True,
        use_attribute_docstrings=True,
    )

    log_format: Literal["auto", "console", "json"] = "auto"
    """Format of the log: `console` for people, `json` for programs; `auto` is `console` on a terminal."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe level that is logged."""


def _addresses(text: str) -> str:
    for address in text.split(","):
        if int(address.rpartition(":")[2]) > 65535:
            raise ValueError(f"expected a port up to 65535, received {address!r}")
    return text


class KafkaSettings(Settings):
    """Settings of the connection to the broker."""

    brokers: Annotated[
        str, Field(pattern=r"^[^,\s]+:\d{1,5}(,[^,\s]+:\d{1,5})*$"), AfterValidator(_addresses)
    ] = "127.0.0.1:9092"
    """Bootstrap servers of Kafka, `host:port`, separated by commas."""
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """Protocol to the broker: `SSL` is TLS; the two with `SASL` need a user name and a password."""
    kafka_username: str | None = None
    """User name for SASL."""
    kafka_password: str | None = None
    """Password for SASL."""
    kafka_ca_file: FilePath | None = None
    """Path of the certificate authority of the broker's TLS certificate; without it the system's are trusted."""
    fetch_max_wait_ms: Annotated[int, Field(ge=1, le=30_000)] = 500
    """Longest time that a broker may wait for data before it answers a fetch, ms. A real broker answers as soon as it
    has some; the embedded one only when this time is over, so `pairstream up` sets 5. There, producers tell readers
    what is new, and this is the shortest time between two reads of stream_analytics.
    """
    kafka_compression: Literal["none", "gzip", "lz4", "zstd"] = "zstd"
    """Codec of the batches that producers send."""
    broker_keeps_bytes: Annotated[int, Field(ge=0)] = 0
    """Size of a partition in a broker that keeps little, bytes: producers stay no further ahead of the slowest reader.
    0 is a broker that keeps messages for longer than any reader is away. `pairstream up` sets 5 MiB.
    """
    wake_directory: Path | None = None
    """Directory of the sockets by which producers tell readers of this machine news. `pairstream up` makes one."""

    @model_validator(mode="after")
    def _has_credentials(self) -> Self:
        if self.kafka_security.startswith("SASL") and not (self.kafka_username and self.kafka_password):
            raise ValueError(
                f"{PREFIX}KAFKA_USERNAME, {PREFIX}KAFKA_PASSWORD: expected both, because "
                f"{PREFIX}KAFKA_SECURITY is {self.kafka_security}; received one or none"
            )
        return self


class MetricsSettings(Settings):
    """Settings of the listener of a service without HTTP."""

    metrics_port: Port = 0
    """Port of `/metrics` for Prometheus and of `/healthz`; 0 is none."""
    metrics_host: str = "127.0.0.1"
    """Address on which `metrics_port` listens."""


class DatabaseSettings(Settings):
    """Settings of the connection to PostgreSQL, with or without TimescaleDB."""

    database_url: str = "postgresql://pairstream@127.0.0.1:5432/pairstream"
    """URL of PostgreSQL, with or without TimescaleDB."""


class HistorySettings(DatabaseSettings):
    """Settings of the database that the past is read from."""

    history_database_url: str | None = None
    """URL of the database from which new pairs are filled and stored ticks are replayed; without it the database of
    `database_url`.
    """

    @property
    def history(self) -> DatabaseSettings:
        """Return the settings of that database."""
        return DatabaseSettings(database_url=self.history_database_url or self.database_url)


class StoreSettings(DatabaseSettings):
    """Settings of the store: how late a tick may come, and the retention of each table: unlimited unless set.

    Ticks later than `lateness` still count, but then cost more. On TimescaleDB policies made by
    `pairstream db upgrade` delete what is too old, whole chunks at a time; elsewhere the sink does.
    """

    # More than the coarsest aggregate's refresh reaches back beyond the lateness.
    slack: ClassVar[timedelta] = timedelta(hours=4)

    timescaledb: Literal["auto", "off"] = "auto"
    """Use of TimescaleDB: `auto` where the server has it, `off` for plain tables everywhere."""
    lateness: Duration = timedelta(days=1)
    """Lateness up to which a late tick costs little, as `90s`, `15m`, `12h` or `1d`. Compression begins 4 h later."""
    retention_ticks: Retention = None
    """Age at which ticks are deleted, as `12h` or `30d`, or `forever`; at least 4 h more than `lateness`."""
    retention_bars_1s: Retention = None
    """Age at which 1 s bars are deleted, or `forever`; no less than that of ticks."""
    retention_bars_1m: Retention = None
    """Age at which 1 m bars are deleted, or `forever`; no less than that of 1 s bars."""
    retention_bars_5m: Retention = None
    """Age at which 5 m bars are deleted, or `forever`; no less than that of 1 m bars."""
    retention_bars_1h: Retention = None
    """Age at which 1 h bars are deleted, or `forever`; no less than that of 5 m bars."""
    retention_signals: Retention = None
    """Age at which signals are deleted, or `forever`."""
    retention_alerts: Retention = None
    """Age at which alerts are deleted, or `forever`."""
    retention_deliveries: Retention = None
    """Age at which deliveries of alerts are deleted, or `forever`."""

    @property
    def retentions(self) -> dict[str, timedelta | None]:
        """Return the retention of each relation, by its name."""
        return {
            "ticks": self.retention_ticks,
            **{f"ohlc_{interval}": getattr(self, f"retention_bars_{interval}") for interval in INTERVALS},
            "signals": self.retention_signals,
            "alerts": self.retention_alerts,
            "deliveries": self.retention_deliveries,
        }

    @model_validator(mode="after")
    def _outlives(self) -> Self:
        """Refuse what would compute a bar again from rows that are gone."""
        names = ("ticks", *(f"bars_{interval}" for interval in INTERVALS))
        least, below = self.lateness + self.slack, "lateness and 4 hours more"
        for name in names:
            keep: timedelta | None = getattr(self, f"retention_{name}")
            if keep is None:
                least, below = timedelta.max, f"retention_{name}, which is forever"
            elif keep < least:
                raise ValueError(
                    f"{PREFIX}RETENTION_{name.upper()}: expected at least {below}, received {keep}: "
                    "a bar would be computed again from rows that are gone"
                )
            else:
                least, below = keep, f"retention_{name}, which is {keep}"
        return self


class SymbolSettings(Settings):
    """Settings of the symbols."""

    symbols: Symbols = Field(default="BTCUSDT,ETHUSDT")  # type: ignore[arg-type]
    """Symbols to ingest, separated by commas; `.OKX` after a symbol names its venue. Forms of other tools, as
    `BTC/USDT:USDT`, are accepted. Selections: `all` that the venue trades, `top:50` by volume, patterns such as
    `*USDC`.
    """

    @property
    def named_symbols(self) -> tuple[str, ...]:
        """Return the symbols that are named, not selected."""
        return names(self.symbols)


class WindowSettings(Settings):
    """Settings of the window: the samples, one a second, by which a pair is measured by default."""

    window: Annotated[int, Field(ge=10, le=100_000)] = DEFAULTS.window
    """Window of a pair, samples: one a second."""


class PairSettings(SymbolSettings, WindowSettings):
    """Settings of pairs at first start: the pairs, and how each is measured."""

    pairs: Pairs = Field(default=DEFAULTS.pair)  # type: ignore[arg-type]
    """Pairs to analyse at first start, `Y-X`, separated by commas; `Y--X` if a symbol has a hyphen. Later the topic
    `pairs` rules.
    """
    min_samples: Annotated[int, Field(ge=3)] = DEFAULTS.min_samples
    """Fewest samples in the window for a signal with numbers."""
    entry_z: Annotated[float, Field(gt=0, allow_inf_nan=False)] = DEFAULTS.entry_z
    """Level of |z-score| at which an alert fires, standard deviations."""
    exit_z: Annotated[float, Field(ge=0, allow_inf_nan=False)] = DEFAULTS.exit_z
    """Level of |z-score| at which an alert resolves, standard deviations; below `entry_z`."""
    stale_after_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] = DEFAULTS.stale_after_s
    """Age of a leg's last trade at which signals become `stale`, s."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.exit_z >= self.entry_z:
            raise ValueError(
                f"{PREFIX}EXIT_Z: expected less than entry_z {self.entry_z}, received {self.exit_z}"
            )
        legs = dict.fromkeys(symbol for pair in self.pairs for symbol in pair)
        is_open = self.named_symbols != self.symbols
        if missing := [symbol for symbol in legs if symbol not in self.symbols and not is_open]:
            raise ValueError(
                f"{PREFIX}PAIRS: expected legs among the symbols {','.join(self.symbols)}, "
                f"received {','.join(missing)}"
            )
        return self


S = TypeVar("S", bound=Settings)


def load(kind: type[S], environ: Mapping[str, str] | None = None) -> S:
    """Build `kind` from the environment; FatalError names the variable, what was received and what is expected."""
    environ = os.environ if environ is None else environ
    values = {name: value for name in kind.model_fields if (value := _read(name, environ)) is not None}
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][0]) if first["loc"] else ""
        message = str(first["msg"]).removeprefix("Value error, ")
        received = (
            ""
            if "received" in message or field.endswith(("password", "_key"))
            else f", received {first['input']!r}"
        )
        name = f"{PREFIX}{field.upper()}: " if field else ""
        raise FatalError(f"{name}{message}{received}") from None


def _read(field: str, environ: Mapping[str, str]) -> str | None:
    name = PREFIX + field.upper()
    # kafka_ca_file is itself a path: its own name must not be taken for the twin of "kafka_ca".
    if (value := environ.get(name)) not in (None, ""):
        return value
    if (path := environ.get(f"{name}_FILE")) in (None, ""):
        return None
    try:
        return Path(str(path)).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise FatalError(
            f"{name}_FILE: expected a readable file, received {path!r}: {error.strerror}"
        ) from error
