"""What the rules said."""

from typing import Annotated

from pydantic import Field

from services.api.models.base import EpochUs, IsoTime, PairName, Record
from services.common.messages import AlertState


class Alert(Record):
    """One transition of one rule on one pair."""

    alert_id: str
    rule_id: Annotated[str, Field(examples=["zscore"])]
    pair: PairName
    event_us: EpochUs
    event_time: IsoTime
    state: AlertState
    value: Annotated[float, Field(examples=[2.31])]
    threshold: Annotated[float, Field(examples=[2.0])]
    message: str
