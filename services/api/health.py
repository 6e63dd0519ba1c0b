"""Who is alive, from the last heartbeat of each service. No I/O."""

from msgspec.structs import asdict

from services.api.answers.rows import Row, age_s
from services.common import clock
from services.common.messages import DeliveryLag, FeedName, Heartbeat

SERVICES = ("ingest", "stream_analytics", "sink", "api")
SILENT_AFTER_S = 5


class Health:
    """Keeps the last heartbeat of each service."""

    def __init__(self) -> None:
        self._beats: dict[str, Heartbeat] = {}

    @property
    def feed(self) -> FeedName | None:
        """Return what ingest says it reads, None until it has."""
        ingest = self._beats.get("ingest")
        return None if ingest is None else ingest.feed

    @property
    def fed_since_us(self) -> int:
        """Return when the present ingest began, 0 before it was heard of."""
        ingest = self._beats.get("ingest")
        return 0 if ingest is None else ingest.started_us

    def delivery(self, symbol: str, now_us: int) -> DeliveryLag | None:
        """Return the delivery lag of `symbol`; None without trades in the last minute, or while ingest is silent."""
        ingest = self._beats.get("ingest")
        return ingest.delivery.get(symbol) if ingest is not None and _is_fresh(ingest, now_us) else None

    def put(self, beat: Heartbeat) -> None:
        """Take a heartbeat; an older one than the known changes nothing."""
        known = self._beats.get(beat.service)
        if known is None or known.at_us <= beat.at_us:
            self._beats[beat.service] = beat

    def services(self, own: Heartbeat) -> list[Row]:
        """Return the health of every service that there should be, and of others that were heard of."""
        beats = self._beats | {own.service: own}
        names = dict.fromkeys((*SERVICES, *sorted(beats)))
        return [_service(name, beats.get(name), own.at_us) for name in names]


def _service(name: str, beat: Heartbeat | None, now_us: int) -> Row:
    if beat is None:
        return {
            "service": name,
            "state": "unknown",
            "healthy": False,
            "age_s": None,
            "version": None,
            "detail": "no heartbeat yet",
            "lag_messages": None,
            "lag_seconds": None,
            "counters": {},
            "lost": {},
            "filling": None,
        }
    return {
        "service": name,
        "state": beat.state,
        "healthy": _is_fresh(beat, now_us) and beat.state in ("running", "finished"),
        "age_s": age_s(beat.at_us, now_us),
        "version": beat.version,
        "detail": beat.detail,
        "lag_messages": beat.lag_messages,
        "lag_seconds": beat.lag_seconds,
        "counters": beat.counters,
        "lost": beat.lost,
        "filling": None if beat.filling is None else asdict(beat.filling),
    }


def _is_fresh(beat: Heartbeat, now_us: int) -> bool:
    return now_us - beat.at_us < SILENT_AFTER_S * clock.SECOND
