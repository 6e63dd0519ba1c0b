from typing import Annotated

import pytest
from msgspec import Meta, Struct

from services.contracts.fields import Count, TradeId
from services.contracts.messages import Quality
from services.store.message_columns import columns_of


class Everything(Struct):
    key: str
    word: Annotated[str | None, Meta(description="described, and null at times")]
    quality: Quality
    share: Annotated[float, Meta(ge=0, le=1)] | None
    flag: bool
    count: Count
    at_most: Annotated[int, Meta(le=2**31 - 1)]
    trade_id: TradeId
    any_whole: int


class Nested(Struct):
    times: tuple[int, ...]


def test_each_field_has_the_type_that_holds_its_values() -> None:
    assert columns_of(Everything, without={"key"}) == {
        "word": "text",
        "quality": "text",
        "share": "float8",
        "flag": "bool",
        "count": "int4",
        "at_most": "int4",
        "trade_id": "int8",
        "any_whole": "int8",
    }


def test_a_field_that_no_column_holds_is_named() -> None:
    with pytest.raises(TypeError, match=r"Nested\.times: expected a field that a column can hold"):
        columns_of(Nested)
