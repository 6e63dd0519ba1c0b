from typing import Annotated

import pytest
from msgspec import Meta, Struct
from pydantic import ValidationError

from services.api.models.message_record import record_of


class Message(Struct):
    at_us: int
    value: Annotated[float | None, Meta(description="Measured.", examples=[1.5])]
    old: Annotated[int, Meta(description="Of before.", extra_json_schema={"deprecated": True})] = 0
    secret: bool = False


def test_a_record_has_the_fields_of_its_message_described_and_each_time_twice() -> None:
    schema = record_of(Message, without={"secret"}).model_json_schema()
    assert list(schema["properties"]) == ["at_us", "at_time", "value", "old"]
    assert schema["required"] == ["at_us", "at_time", "value", "old"]
    value, old = schema["properties"]["value"], schema["properties"]["old"]
    assert (value["description"], value["examples"]) == ("Measured.", [1.5])
    assert (old["description"], old["deprecated"]) == ("Of before.", True)


def test_a_record_has_no_other_fields() -> None:
    record = record_of(Message, without={"secret", "at_us"})
    known = {"value": None, "old": 3}
    assert record.model_validate(known).model_dump() == known
    with pytest.raises(ValidationError):
        record.model_validate(known | {"secret": True})


class Whole(Struct):
    parts: tuple[Message, ...]
    last: Message | None = None
    rest: Annotated[tuple[str, ...], Meta(description="Names.")] = ()


def test_a_message_in_a_message_is_a_record_in_a_record() -> None:
    record = record_of(Whole)
    part = {"at_us": 1, "at_time": "", "value": None, "old": 3, "secret": False}
    known = {"parts": [part], "last": None, "rest": ["a"]}
    assert record.model_validate(known).model_dump() == known
    with pytest.raises(ValidationError):
        record.model_validate(known | {"last": {"at_us": 1}})
