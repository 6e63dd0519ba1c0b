"""Rules of alerts and silences, as validated data: topics ``rules`` and ``silences``."""

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from services.contracts import message_template
from services.contracts.alert_messages import DEFAULT_RULE, DEFAULT_RULE_ID, Severity
from services.contracts.conditions import Condition, Gate
from services.contracts.fields import Id, Microseconds, Name, WrongFieldError
from services.contracts.metrics import SubjectKind

Policy = Literal["keep", "alert", "ok"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Seconds = Annotated[float, Meta(ge=0, le=30 * 86_400)]

_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_RESERVED = (DEFAULT_RULE, DEFAULT_RULE_ID)
_DAY_MINUTES = 24 * 60


class Schedule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Hours in which a rule may fire: from `start` to before `end`, over midnight if `end` is earlier, on `days`."""

    start: Annotated[str, Meta(description="HH:MM.", examples=["08:00"])] = "00:00"
    end: Annotated[str, Meta(description="HH:MM; that of `start` is a whole day.", examples=["18:00"])] = (
        "00:00"
    )
    days: Annotated[
        tuple[Day, ...], Meta(min_length=1, max_length=7, description="Days on which it begins.")
    ] = DAYS
    timezone: Annotated[str, Meta(max_length=64, description="Name of IANA.", examples=["Europe/Berlin"])] = (
        "UTC"
    )

    def __post_init__(self) -> None:
        """Refuse what is no time or zone (ValueError)."""
        for field in ("start", "end"):
            if not _TIME.fullmatch(getattr(self, field)):
                raise WrongFieldError(field, "a time HH:MM", repr(getattr(self, field)))
        if self.timezone not in available_timezones():
            raise WrongFieldError("timezone", "a zone such as Europe/Berlin", repr(self.timezone))

    @property
    def start_minute(self) -> int:
        """Return the minute of the day at which it begins."""
        return _minute(self.start)

    @property
    def minutes(self) -> int:
        """Return how long it lasts."""
        return (_minute(self.end) - self.start_minute) % _DAY_MINUTES or _DAY_MINUTES

    @property
    def zone(self) -> ZoneInfo:
        """Return the zone of its times."""
        return ZoneInfo(self.timezone)


class Rule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule: what it measures, of what, when it fires and ends; compacted topic ``rules``, key: id.

    A message without a value removes the rule. Times are of events, so that a replay fires as live does.
    """

    id: Annotated[Name, Meta(description="Names it in alerts and addresses.", examples=["btc-eth-wide"])]
    name: Annotated[Id, Meta(description="For people; the id if it is empty.")] = ""
    conditions: Annotated[
        tuple[Condition, ...], Meta(min_length=1, max_length=8, description="All of one kind of subject.")
    ]
    match: Annotated[Literal["all", "any"], Meta(description="How many of the conditions must be met.")] = (
        "all"
    )
    scope: Annotated[
        tuple[Id, ...],
        Meta(
            min_length=1,
            max_length=256,
            description="Its subjects: names or patterns with `*` and `?`.",
            examples=[["ETHUSDT-*"]],
        ),
    ] = ("*",)
    severity: Annotated[Severity, Meta(description="How bad it is.")] = "warning"
    labels: Annotated[dict[Name, Id], Meta(max_length=32, description="What alerts say of the rule.")] = {}
    message: Annotated[
        str,
        Meta(
            max_length=500,
            description="Text with placeholders `{field:format}`; one of ours if it is empty.",
            examples=["{subject} at {zscore:+.2f}"],
        ),
    ] = ""
    for_s: Annotated[Seconds, Meta(description="How long it must be met before it fires, s.")] = 0.0
    breaches: Annotated[
        int, Meta(ge=1, le=10_000, description="In how many seconds in a row it must be met before it fires.")
    ] = 1
    clear_after: Annotated[
        int, Meta(ge=1, le=10_000, description="In how many seconds in a row it must be clear to end.")
    ] = 1
    keep_firing_s: Annotated[Seconds, Meta(description="How long it fires at least, s.")] = 0.0
    cooldown_s: Annotated[Seconds, Meta(description="How long after its end it cannot begin again, s.")] = 0.0
    warm_up_s: Annotated[
        Seconds, Meta(description="How long it cannot fire of a subject that is new, s.")
    ] = 0.0
    no_data: Annotated[
        Policy,
        Meta(
            description="What to do without data for `no_data_after_s`: `keep` the state, `alert`, or take it for `ok`."
        ),
    ] = "keep"
    no_data_after_s: Annotated[
        float,
        Meta(ge=1, le=86_400, description="Without a second of quality `ok` for so long there is no data."),
    ] = 60.0
    error: Annotated[
        Policy,
        Meta(description="What to do in seconds of quality `ok` that lack what is measured; likewise."),
    ] = "keep"
    gates: Annotated[
        tuple[Gate, ...], Meta(max_length=8, description="What must hold, too, for it to begin.")
    ] = ()
    schedule: Annotated[Schedule | None, Meta(description="When it may begin.")] = None
    expires_us: Annotated[Microseconds | None, Meta(description="From then on it is no more.")] = None
    valid_s: Annotated[
        Seconds, Meta(description="How long after its second an alert is worth acting on, s.")
    ] = 300.0
    renotify_s: Annotated[
        Seconds, Meta(description="Notify again so long after the last time, while it fires; 0 never.")
    ] = 0.0
    escalate_after_s: Annotated[
        Seconds, Meta(description="Critical if it fires for so long without acknowledgement; 0 never.")
    ] = 0.0
    announce_steps: Annotated[
        bool, Meta(description="Whether alerts say `pending` and `recovering`, too.")
    ] = False
    paused: Annotated[bool, Meta(description="A paused rule measures nothing.")] = False

    def __post_init__(self) -> None:
        """Refuse what contradicts itself or could never fire (ValueError)."""
        if not _ID.fullmatch(self.id) or self.id in _RESERVED:
            free = f"letters a-z, digits, _ . and -, not {' or '.join(_RESERVED)}"
            raise WrongFieldError("id", free, repr(self.id))
        if not self.name:
            force_setattr(self, "name", self.id)
        kinds = {one.subject_kind for one in self.conditions}
        if len(kinds) > 1:
            raise WrongFieldError("conditions", "metrics of one kind of subject", " and ".join(sorted(kinds)))
        for place, gate in enumerate(self.gates):
            if gate.subject_kind not in kinds:
                raise WrongFieldError(
                    f"gates[{place}].metric", f"a metric of a {self.subject_kind}", repr(gate.metric)
                )
        self._require_time()
        try:
            message_template.check(self.message)
        except ValueError as error:
            expected, _, received = str(error).removeprefix("expected ").rpartition(", received ")
            raise WrongFieldError("message", expected, received) from None

    def _require_time(self) -> None:
        for place, one in enumerate(self.conditions):
            if one.operator == "crosses" and (self.for_s > 0 or self.breaches > 1):
                field, value = ("for_s", self.for_s) if self.for_s > 0 else ("breaches", self.breaches)
                least = 0 if field == "for_s" else 1
                raise WrongFieldError(
                    field, f"{least} with crosses, which is met for a second alone", f"{value:g}"
                )
            if one.over_s is not None and one.operator == "changes_by" and one.over_s <= self.for_s:
                raise WrongFieldError(
                    f"conditions[{place}].over_s",
                    f"more than for_s {self.for_s:g}, because a change is seen for so long at most",
                    f"{one.over_s:g}",
                )
        if self.schedule is not None and self.schedule.minutes * 60 <= self.for_s:
            minutes = self.schedule.minutes
            raise WrongFieldError("schedule", f"more than for_s {self.for_s:g}", f"{minutes * 60:g} s")

    @property
    def subject_kind(self) -> SubjectKind:
        """Return what its subjects are."""
        return self.conditions[0].subject_kind


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])
