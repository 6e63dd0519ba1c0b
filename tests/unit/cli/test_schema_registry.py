"""The registry of schemas: what is registered, what is compatible, and what a registry that cannot do it costs."""

import json
import sys
import threading
from collections.abc import Iterator

import pytest

from services.cli import schema_registry
from services.cli.__main__ import main
from services.common.errors import AwayError, FatalError, TransientError
from tests.images.fake_registry import FakeRegistry
from tests.ports import free_port


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def url(registry: FakeRegistry) -> str:
    return f"http://127.0.0.1:{registry.server_port}"


def changed(schema: str, drop: str) -> str:
    """Return a schema whose messages need not have the field `drop` any more."""
    document = json.loads(schema)
    document["required"].remove(drop)
    return json.dumps(document)


def test_every_schema_is_registered_once_and_its_readers_are_protected(registry: FakeRegistry) -> None:
    schemas = schema_registry.subjects()
    schema_registry.register(url(registry), schemas)
    schema_registry.register(url(registry), schemas)
    assert {subject: [text] for subject, text in schemas.items()} == registry.versions
    assert set(registry.levels.values()) == {"FORWARD"}
    assert registry.levels.keys() == schemas.keys()
    assert "ticks-value" in schemas


def test_a_check_names_what_is_not_registered_and_registers_nothing(registry: FakeRegistry) -> None:
    schemas = schema_registry.subjects()
    assert schema_registry.check(url(registry), schemas) == list(schemas)
    assert registry.versions == {}
    schema_registry.register(url(registry), schemas)
    assert schema_registry.check(url(registry), schemas) == []


@pytest.mark.parametrize("act", [schema_registry.check, schema_registry.register])
def test_a_message_without_a_field_that_readers_need_is_refused(act: object, registry: FakeRegistry) -> None:
    schemas = schema_registry.subjects()
    schema_registry.register(url(registry), schemas)
    broken = schemas | {"signals-value": changed(schemas["signals-value"], "pair")}
    with pytest.raises(FatalError, match=r"^signals-value: expected .*#/pair.*; keep the field"):
        act(url(registry), broken)  # type: ignore[operator]
    assert registry.versions["signals-value"] == [schemas["signals-value"]]


@pytest.mark.parametrize(
    ("refusal", "kind", "said"),
    [
        (
            (422, {"error_code": 42201, "message": "Invalid schema"}),
            FatalError,
            "received 422 Invalid schema",
        ),
        ((503, {"message": "no leader"}), TransientError, "received 503 no leader"),
        ((200, ["a list"]), FatalError, "received no JSON"),
    ],
)
def test_a_registry_that_does_not_agree_is_told(
    refusal: tuple[int, object], kind: type[Exception], said: str, registry: FakeRegistry
) -> None:
    registry.refusal = refusal
    with pytest.raises(kind, match=said):
        schema_registry.check(url(registry), schema_registry.subjects())


def test_an_address_without_a_registry_is_named() -> None:
    port = free_port()
    with pytest.raises(AwayError, match=f"expected a registry of schemas at http://127.0.0.1:{port}"):
        schema_registry.check(f"http://127.0.0.1:{port}", schema_registry.subjects())
    with pytest.raises(FatalError, match=r"URL: expected a registry such as .*, received 'redpanda:8081'"):
        schema_registry.check("redpanda:8081", schema_registry.subjects())


def test_the_commands_say_what_they_did(
    registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("check", "register", "check"):
        monkeypatch.setattr(sys, "argv", ["pairstream", "topics", command, url(registry)])
        main()
    before, unknown, registered, after = capsys.readouterr().out.splitlines()
    names = ", ".join(schema_registry.subjects())
    assert (before, unknown) == ("compatible: none", f"not registered yet: {names}")
    assert (registered, after) == (f"registered: {names}", f"compatible: {names}")
