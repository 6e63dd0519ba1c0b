"""Which structs are generated from schemas: what the dashboard reads of them, with their defaults."""

from typing import Any

import msgspec
import pytest

from services.cli import ui_types
from services.cli.ui_types import module

TEXT, NULL = {"type": "string"}, {"type": "null"}


def generated(monkeypatch: pytest.MonkeyPatch, **schemas: Any) -> dict[str, Any]:
    """Return what the module of these schemas defines; the first one is what is read."""
    monkeypatch.setattr(ui_types, "ROOTS", (next(iter(schemas)),))
    namespace: dict[str, Any] = {}
    exec(module({"components": {"schemas": schemas}}), namespace)  # noqa: S102 - as it is imported
    return namespace


def record(*required: str, **properties: Any) -> dict[str, Any]:
    return {"description": "A record.\n\nMore.", "properties": properties, "required": required}


def test_a_field_that_may_be_null_or_left_out_has_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {"type": "array", "items": TEXT}
    counts = {"type": "object", "additionalProperties": {"type": "integer"}}
    schema = record("a", "b", a=TEXT, b={"anyOf": [TEXT, NULL]}, c=parts, d=counts)
    kind = generated(monkeypatch, One=schema)["One"]
    assert kind.__doc__ == "A record."
    made = msgspec.json.decode(b'{"a": "x", "unknown": 1}', type=kind)
    assert (made.a, made.b, made.c, made.d) == ("x", None, (), {})
    with pytest.raises(msgspec.ValidationError, match="required field `a`"):
        msgspec.json.decode(b"{}", type=kind)


def test_readable_twins_and_what_is_deprecated_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = record(at_us={"type": "integer"}, at_time=TEXT, time=TEXT, old={**TEXT, "deprecated": True})
    schema["required"] = list(schema["properties"])
    kind = generated(monkeypatch, One=schema)["One"]
    assert kind.__struct_fields__ == ("at_us", "time")


def test_what_is_referred_to_comes_first_and_a_listing_is_generic(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = {"$ref": "#/components/schemas/Pair"}
    listing = record("data", data={"type": "array", "items": inner})
    found = generated(monkeypatch, Listing_Pair_=listing, Pair=record("y", y=TEXT))
    listed = msgspec.json.decode(b'{"data": [{"y": "x"}]}', type=found["Listing"][found["WatchedPair"]])
    assert listed.data == (found["WatchedPair"](y="x"),)


def test_the_kind_of_a_message_is_its_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    found = generated(monkeypatch, One=record("type", type={"const": "one", "type": "string"}))["One"]
    assert msgspec.json.decode(msgspec.json.encode(found()), type=dict[str, str]) == {"type": "one"}
    with pytest.raises(msgspec.ValidationError, match="Invalid value 'two'"):
        msgspec.json.decode(b'{"type": "two"}', type=found)
