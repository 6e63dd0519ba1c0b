"""Models of rules and silences, and of the trial of a rule."""

from typing import Annotated, Any

import msgspec
from pydantic import ConfigDict, Field, WithJsonSchema

from services.api.models.base import EpochUs, IsoTime, PairName, Record
from services.api.models.message_record import record_of
from services.api.queries.rule_statistics import FLAP_S, MOST_INCIDENTS
from services.api.time_parameters import Moment
from services.contracts import messages


def schema_of(message: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON schema of a message, with all that it refers to in its place."""
    (reference,), definitions = msgspec.json.schema_components([message])
    found = _inlined(reference, definitions)
    assert isinstance(found, dict)
    return found


def _inlined(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, dict):
        if "$ref" in node:
            return _inlined(definitions[node["$ref"].rpartition("/")[2]], definitions)
        # The topic's readers ignore what they do not know; who writes to us is told of it.
        closed = {"additionalProperties": False} if "properties" in node else {}
        return closed | {name: _inlined(part, definitions) for name, part in node.items()}
    return [_inlined(part, definitions) for part in node] if isinstance(node, list) else node


SERIES_POINTS = 10_000

RuleBody = Annotated[dict[str, Any], WithJsonSchema(schema_of(messages.Rule))]
SilenceBody = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {**(_silence := schema_of(messages.Silence)), "required": ["matchers", "end_us"]}
        | {"properties": {name: one for name, one in _silence["properties"].items() if name != "by"}}
    ),
]


class Rule(record_of(messages.Rule)):  # type: ignore[misc]  # made when it is imported
    """A rule as it is at work; a field that was left out has its default."""

    expires_us: EpochUs | None
    expires_time: IsoTime | None
    built_in: Annotated[bool, Field(description="Whether it is there without anybody having written it.")]
    warnings: Annotated[
        list[str],
        Field(
            description="What may not be meant.", examples=[["its scope matches none of the watched pairs"]]
        ),
    ]


class Silence(record_of(messages.Silence)):  # type: ignore[misc]  # made when it is imported
    """A silence; `active` while it holds."""

    start_us: EpochUs
    start_time: IsoTime
    end_us: EpochUs
    end_time: IsoTime
    active: Annotated[bool, Field(description="Whether it holds now.")]


class TrialQuery(Record):
    """What a rule is tried on: the stored signals of its pairs, or of one of them, in a range."""

    model_config = ConfigDict(extra="forbid")

    rule: Annotated[
        RuleBody | None, Field(description="Tried in place of the stored one, which stays as it is.")
    ] = None
    pair: Annotated[
        str | None, Field(description="Of its pairs this one alone.", examples=["ETHUSDT-BTCUSDT"])
    ] = None
    start: Annotated[Moment | None, Field(description="Inclusive; a day before the end without it.")] = None
    end: Annotated[Moment | None, Field(description="Exclusive; now without it.")] = None
    at: Annotated[
        Moment | None,
        Field(description="Explain why it did not fire then: the last second up to it counts."),
    ] = None
    series: Annotated[
        bool,
        Field(
            description="Whether to tell what its first condition compared, of the pair that fired most often."
        ),
    ] = False


class StatisticsQuery(Record):
    """The period of the statistics of a rule."""

    model_config = ConfigDict(extra="forbid")

    start: Annotated[
        Moment | None,
        Field(description="Inclusive; a week before the end without it.", examples=["2026-01-01T00:00:00Z"]),
    ] = None
    end: Annotated[
        Moment | None, Field(description="Exclusive; now without it.", examples=["2026-01-08T00:00:00Z"])
    ] = None


class RuleStatistics(Record):
    """What a rule's incidents were worth, of those that began in a period."""

    rule: Annotated[str, Field(description="The id of the rule.", examples=["btc-eth-wide"])]
    start_us: EpochUs
    start_time: IsoTime
    end_us: EpochUs
    end_time: IsoTime
    fired: Annotated[int, Field(description="Incidents that hold, also those without data.", examples=[12])]
    open: Annotated[int, Field(description="Those that have not ended.", examples=[1])]
    median_s: Annotated[
        float | None, Field(description="How long half of them lasted at most, s.", examples=[42.0])
    ]
    longest_s: Annotated[float | None, Field(description="How long the longest lasted, s.", examples=[310.0])]
    flaps: Annotated[
        int,
        Field(
            description=f"Those that began within {FLAP_S} s of the end of the one before, of the same subject.",
            examples=[2],
        ),
    ]
    acknowledged: Annotated[int, Field(description="Those that somebody has acknowledged.", examples=[9])]
    marked_false: Annotated[
        int, Field(description="Those that somebody has called false alarms.", examples=[1])
    ]
    retracted: Annotated[
        int, Field(description="Those that late trades have taken back, not among `fired`.", examples=[0])
    ]
    last_us: EpochUs | None
    last_time: IsoTime | None
    truncated: Annotated[
        bool, Field(description=f"Whether there are more than {MOST_INCIDENTS:,}: the newest were counted.")
    ]


class TriedIncident(Record):
    """A time at which the rule would have fired."""

    state: Annotated[str, Field(description="What would have begun.", examples=["firing"])]
    start_us: EpochUs
    start_time: IsoTime
    end_us: EpochUs | None
    end_time: IsoTime | None
    duration_s: Annotated[
        float | None, Field(description="How long, s; null if it had not ended.", examples=[42.0])
    ]
    value: Annotated[float | None, Field(description="What was measured when it began.", examples=[2.31])]
    ended: Annotated[str | None, Field(description="How it ended.", examples=["resolved"])]


class HeldBack(Record):
    """Why a rule did not fire at a moment."""

    event_us: EpochUs
    event_time: IsoTime
    state: Annotated[str, Field(description="The state of the rule then.", examples=["normal"])]
    values: Annotated[dict[str, float], Field(description="What was measured.", examples=[{"zscore": 1.2}])]
    held_back: Annotated[
        str | None,
        Field(
            description="The first thing that held it back; null if it fired.",
            examples=["condition 1: zscore is 1.2, expected outside -2 to 2"],
        ),
    ]


class TriedSeries(Record):
    """What the first condition compared, second by second, as columns of the same length."""

    event_us: Annotated[
        list[int], Field(description="Microseconds since 1970, UTC.", examples=[[1767225600000000]])
    ]
    value: Annotated[list[float | None], Field(description="Null where it is not known.", examples=[[1.25]])]


class PairTrial(Record):
    """What would have become of a rule on one pair."""

    pair: PairName
    signals: Annotated[int, Field(description="Stored signals that it saw.", examples=[86400])]
    fired: Annotated[int, Field(description="How often it would have fired.", examples=[3])]
    firing_s: Annotated[
        float, Field(description="How long in all, s; of one that had not ended nothing.", examples=[180.0])
    ]
    median_s: Annotated[
        float | None, Field(description="How long half of them lasted at most, s.", examples=[60.0])
    ]
    incidents: Annotated[list[TriedIncident], Field(description="The first 1,000.")]
    explanation: Annotated[HeldBack | None, Field(description="Of the moment that was asked for.")]
    message: Annotated[
        str | None,
        Field(
            description="The text of its last alert; if it would not have fired, with what was measured last.",
            examples=["ETHUSDT-BTCUSDT: Wide is met, zscore 2.31"],
        ),
    ]
    series: Annotated[
        TriedSeries | None,
        Field(description=f"Of one pair, if it was asked for: the last {SERIES_POINTS:,} seconds."),
    ]


class RuleTrial(Record):
    """What would have become of a rule: the same code over stored signals."""

    fired: Annotated[int, Field(description="How often it would have fired, of all pairs.", examples=[3])]
    pairs: list[PairTrial]
    truncated: Annotated[
        bool,
        Field(description="Whether there are more signals than are tried at once: the latest were left out."),
    ]
    warnings: Annotated[list[str], Field(description="What may not be meant.")]
