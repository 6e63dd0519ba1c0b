"""Keys in a file, and changes of the file."""

import asyncio
import os
from pathlib import Path

import pytest

from services.api.security import api_keys
from services.api.security.api_keys import ApiKeys, RevokedError


def write(path: Path, text: str, age_ns: int) -> None:
    """Write a file that is surely another than the one before, whatever the clock of the file system."""
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(age_ns, age_ns))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_a_key_is_found_by_its_token_alone(path: Path) -> None:
    (reading, reader), (writing, writer) = api_keys.new("notebook", "read"), api_keys.new("bot.1", "write")
    path.write_text(f"# keys\n\n{reader}\n  {writer}  \n", encoding="utf-8")
    found = ApiKeys(path)
    assert found.find(reading) == reader
    assert found.find(writing) == writer
    for wrong in ("", reading[:-1], reading.upper(), reader.digest, "notebook", "\udcff"):
        assert found.find(wrong) is None


def test_tokens_are_long_random_and_not_in_the_file() -> None:
    tokens = {api_keys.new("a", "read")[0] for _ in range(100)}
    assert len(tokens) == 100
    token, key = api_keys.new("a", "read")
    assert len(token) == len("ps_") + 43  # 256 bits in base64
    assert token not in str(key)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a read", "line 1: expected 'name role sha256'"),
        (f"a admin {'0' * 64}", "line 1"),
        (f"a/b read {'0' * 64}", "line 1"),
        (f"# first\na read {'0' * 63}", "line 2"),
        (f"a read {'0' * 64}\na write {'1' * 64}", "line 2: expected each name once, received 'a'"),
    ],
)
def test_a_wrong_line_is_named(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        api_keys.parse(text)


def test_what_is_received_is_cut_short_for_it_may_be_a_key() -> None:
    token, _ = api_keys.new("a", "read")
    with pytest.raises(ValueError, match="line 1") as raised:
        api_keys.parse(f"somebody write {token}")
    assert token not in str(raised.value)


def test_a_revoked_key_is_not_found_after_a_refresh(path: Path) -> None:
    token, key = api_keys.new("a", "read")
    write(path, f"{key}\n", 1)
    found = ApiKeys(path)
    write(path, "", 2)
    assert found.find(token) == key
    found.refresh()
    assert found.find(token) is None
    assert found.problem is None


@pytest.mark.parametrize("damage", ["text", "gone", "bytes"])
def test_a_file_that_cannot_be_used_lets_nobody_in_until_it_is_right_again(path: Path, damage: str) -> None:
    token, key = api_keys.new("a", "read")
    write(path, f"{key}\n", 1)
    found = ApiKeys(path)
    match damage:
        case "text":
            write(path, f"{key}\nnonsense\n", 2)
        case "bytes":
            path.write_bytes(b"\xff\xfe")
        case _:
            path.unlink()
    found.refresh()
    assert found.find(token) is None
    assert found.problem is not None
    write(path, f"{key}\n", 3)
    found.refresh()
    assert found.find(token) == key
    assert not found.problem


def test_what_runs_for_a_key_ends_when_the_key_is_revoked_and_nothing_else_does(path: Path) -> None:
    _, kept = api_keys.new("kept", "read")
    _, gone = api_keys.new("gone", "read")
    write(path, f"{kept}\n{gone}\n", 1)

    async def run() -> None:
        found = ApiKeys(path)

        async def forever(key: api_keys.ApiKey) -> None:
            async with found.lease(key):
                await asyncio.Event().wait()

        staying, leaving = asyncio.ensure_future(forever(kept)), asyncio.ensure_future(forever(gone))
        await asyncio.sleep(0)
        write(path, f"{kept}\n", 2)
        found.refresh()
        async with asyncio.timeout(5):
            with pytest.raises(RevokedError):
                await leaving
        assert not staying.done()
        staying.cancel()

    asyncio.run(run())


def test_a_timeout_of_something_else_stays_one(path: Path) -> None:
    _, key = api_keys.new("a", "read")
    path.write_text(f"{key}\n", encoding="utf-8")

    async def run() -> None:
        async with ApiKeys(path).lease(key):
            raise TimeoutError

    with pytest.raises(TimeoutError):
        asyncio.run(run())


def test_without_a_file_there_is_nothing_to_ask_for() -> None:
    found = ApiKeys(None)
    found.refresh()
    assert not found.are_asked_for
    assert (found.find("x"), found.problem) == (None, None)
