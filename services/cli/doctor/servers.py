"""Checks of what pairstream connects to: broker, database with its schema, feed, and the clocks there."""

import asyncio
import time
from collections.abc import AsyncIterator

from aiokafka.errors import KafkaError

from services.cli.doctor.finding import CheckFinding, Status
from services.common import clock
from services.common.errors import BadMessageError, FatalError, PairstreamError, TransientError
from services.common.kafka import clients
from services.common.settings import KafkaSettings, StoreSettings
from services.contracts import topics
from services.ingest import service as ingest
from services.ingest.feeds.reachability import reachable
from services.ingest.settings import IngestSettings
from services.ingest.venues import registry
from services.store import database, schema

_ANSWER_S = 8.0
_EMBEDDED = "mockCluster"
# Trades stamped more than 2 s after their receipt are refused.
_FAIL_CLOCK_US = 2 * clock.SECOND
_WARN_CLOCK_US = clock.SECOND // 2
_TIMESCALE = "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"
_TIME = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


async def broker(settings: KafkaSettings) -> AsyncIterator[CheckFinding]:
    """Yield whether a broker answers, and whether it has every topic of ours."""
    try:
        async with asyncio.timeout(_ANSWER_S), clients.admin(settings) as client:
            cluster = (await client.describe_cluster())["cluster_id"]
            names = set(await client.list_topics())
    except (PairstreamError, KafkaError, TimeoutError, OSError) as error:
        reason = str(error) or f"no answer within {_ANSWER_S:g} s"
        yield CheckFinding(
            "broker", "fail", reason, "set PAIRSTREAM_BROKERS, or run pairstream up, which has its own"
        )
        return
    yield CheckFinding("broker", "ok", f"cluster {cluster} at {settings.brokers}")
    missing = [topic.name for topic in topics.ALL if topic is not topics.WINDOWS and topic.name not in names]
    if str(cluster).startswith(_EMBEDDED):
        yield CheckFinding("topics", "ok", "the embedded broker makes each when it is first used")
    elif missing:
        yield CheckFinding("topics", "fail", f"missing: {', '.join(missing)}", "run pairstream topics create")
    else:
        yield CheckFinding("topics", "ok", "all there")


async def store(settings: StoreSettings) -> AsyncIterator[CheckFinding]:
    """Yield whether the database answers, whether its schema is the one of this version, and its clock."""
    try:
        async with database.connect(settings, "pairstream-doctor") as connection:
            row = await (await connection.execute(_TIMESCALE)).fetchone()
            extension = f"TimescaleDB {row[0]}" if row else "no TimescaleDB"
            version = connection.info.server_version
            place = f"{connection.info.host}:{connection.info.port}/{connection.info.dbname}"
            yield CheckFinding(
                "database",
                "ok",
                f"PostgreSQL {version // 10_000}.{version % 10_000}, {extension}, at {place}",
            )
            try:
                await schema.require(connection)
                yield CheckFinding("schema", "ok", schema.revisions()[-1])
            except FatalError as error:
                yield CheckFinding("schema", "fail", str(error))
            asked_s, asked_us = time.monotonic(), clock.now_us()
            answer = await (await connection.execute(_TIME)).fetchone()
            assert answer is not None
            yield _clock("the database", answer[0] - asked_us, time.monotonic() - asked_s)
    except (PairstreamError, OSError) as error:
        yield CheckFinding(
            "database",
            "fail",
            str(error),
            "set PAIRSTREAM_DATABASE_URL, or run pairstream up, which has its own",
        )


async def feed(settings: IngestSettings) -> AsyncIterator[CheckFinding]:
    """Yield whether the feed can be read, of a live one whether a trade arrives, and the clocks of its venues."""
    try:
        if settings.feed != "live":
            await ingest.check(settings)
            yield CheckFinding("feed", "ok", settings.feed)
            return
        problem = await reachable(settings, _ANSWER_S)
    except FatalError as error:
        yield CheckFinding("feed", "fail", str(error))
        return
    if problem is not None:
        advice = (
            "set PAIRSTREAM_BINANCE_WS_URL and _REST_URL if a proxy is needed, or PAIRSTREAM_FEED=synthetic"
        )
        yield CheckFinding("feed", "fail", problem, advice)
        return
    yield CheckFinding("feed", "ok", f"live: trades arrive of {', '.join(settings.symbols)}")
    async with registry.opened(settings) as venues:
        for venue in venues.values():
            asked_s, asked_us = time.monotonic(), clock.now_us()
            try:
                told_us = await venue.time_us()
            except (TransientError, BadMessageError) as error:
                yield CheckFinding("clock", "warn", f"{venue.name} did not answer with its time: {error}")
            else:
                yield _clock(venue.name, told_us - asked_us, time.monotonic() - asked_s)


def _clock(whose: str, ahead_us: int, took_s: float) -> CheckFinding:
    """Compare this machine's clock with one that answered after `took_s`, at any moment in between."""
    slack_us = round(took_s * clock.SECOND)
    off_us = max(ahead_us - slack_us, -ahead_us, 0)
    found = f"within {max(off_us, slack_us, 1_000) / clock.SECOND:.3f} s of {whose}"
    if off_us <= _WARN_CLOCK_US:
        return CheckFinding("clock", "ok", found)
    way = "behind" if ahead_us > 0 else "ahead of"
    found = f"{off_us / clock.SECOND:.1f} s {way} {whose}"
    status: Status = "fail" if off_us > _FAIL_CLOCK_US else "warn"
    return CheckFinding("clock", status, found, "let NTP set the clock (timedatectl set-ntp true)")
