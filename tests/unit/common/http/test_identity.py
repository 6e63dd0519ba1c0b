"""Signed header of a person: for one request, for half a minute, once."""

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import FatalError
from services.common.http.identity import LEEWAY_S, LIFETIME_S, IdentityCheck, IdentityError, Person, sign
from services.common.settings import load
from services.ui.settings import UiSettings

KEY, OTHER = "k" * 32, "o" * 32
ALICE = Person("alice@desk.example", "operator")
NOW = 1_700_000_000.0
REQUEST = ("PUT", "/v1/pairs/ETHUSDT-BTCUSDT?x=%2F")


class Clock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def forged(change: dict[str, object], head: str = '{"alg":"HS256"}', key: str = KEY) -> str:
    """Return a header whose claims and head are changed, signed with `key`."""
    body = json.loads(base64.urlsafe_b64decode(sign(ALICE, *REQUEST, KEY, NOW).split(".")[1] + "=="))
    parts = [
        base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode()
        for part in (head, json.dumps(body | change))
    ]
    said = ".".join(parts)
    signature = hmac.digest(key.encode(), said.encode(), hashlib.sha256)
    return f"{said}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_a_header_names_its_person_once() -> None:
    clock = Clock()
    check = IdentityCheck([OTHER, KEY], clock)
    header = sign(ALICE, *REQUEST, KEY, NOW)
    assert check.person(header, *REQUEST) == ALICE
    for clock.now in (NOW, NOW + LIFETIME_S + LEEWAY_S - 1, NOW + LIFETIME_S + LEEWAY_S):
        with pytest.raises(IdentityError, match=r"used before|expired"):
            check.person(header, *REQUEST)
    assert check.person(sign(ALICE, *REQUEST, KEY, clock.now), *REQUEST) == ALICE


def test_what_is_remembered_is_bounded_by_time() -> None:
    clock = Clock()
    check = IdentityCheck([KEY], clock)
    for second in range(500):
        clock.now = NOW + second
        check.person(sign(ALICE, *REQUEST, KEY, clock.now), *REQUEST)
    assert len(check._taken) <= LIFETIME_S + 4 * LEEWAY_S


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (sign(ALICE, "DELETE", REQUEST[1], KEY, NOW), "another request"),
        (sign(ALICE, "PUT", "/v1/pairs/ETHUSDT-BTCUSDT", KEY, NOW), "another request"),
        (sign(ALICE, *REQUEST, OTHER, NOW), "another signature"),
        (sign(ALICE, *REQUEST, KEY, NOW - LIFETIME_S - LEEWAY_S), "expired"),
        (sign(ALICE, *REQUEST, KEY, NOW + LEEWAY_S + 1), "of the future"),
        (forged({"exp": int(NOW) + LIFETIME_S + 1}), "more than 30 s"),
        (forged({"aud": "another"}), "another request"),
        (forged({"sub": "two words"}), "without a name"),
        (forged({"sub": ""}), "without a name"),
        (forged({"role": "admin"}), "cannot be read"),
        (forged({"jti": "short"}), "cannot be read"),
        (forged({}, head='{"alg":"none"}'), "another algorithm"),
        (forged({}, key=OTHER), "another signature"),
        ("", "another signature"),
        ("..", "another signature"),
    ],
)
def test_a_header_that_is_not_good_is_refused(header: str, says: str) -> None:
    with pytest.raises(IdentityError, match=says):
        IdentityCheck([KEY], Clock()).person(header, *REQUEST)


def test_without_keys_nothing_is_good() -> None:
    with pytest.raises(IdentityError):
        IdentityCheck([], Clock()).person(sign(ALICE, *REQUEST, "", NOW), *REQUEST)


@given(st.text(), st.data())
def test_anything_else_is_refused_with_a_reason(text: str, data: st.DataObject) -> None:
    header = sign(ALICE, *REQUEST, KEY, NOW)
    place = data.draw(st.integers(0, len(header)))
    changed = header[:place] + text + header[place + data.draw(st.integers(0, 3)) :]
    check = IdentityCheck([KEY], Clock())
    if changed == header:
        assert check.person(changed, *REQUEST) == ALICE
    else:
        with pytest.raises(IdentityError):
            check.person(changed, *REQUEST)


def test_a_weak_key_is_refused_and_not_shown() -> None:
    with pytest.raises(FatalError, match="PAIRSTREAM_IDENTITY_KEY: expected keys of at least 32") as refused:
        load(UiSettings, {"PAIRSTREAM_IDENTITY_KEY": "hunter2"})
    assert "hunter2" not in str(refused.value)


def test_logins_want_a_proxy() -> None:
    with pytest.raises(
        FatalError, match="PAIRSTREAM_UI_PROXIES: expected the address of the proxy"
    ) as refused:
        load(UiSettings, {"PAIRSTREAM_IDENTITY_KEY": KEY})
    assert KEY not in str(refused.value)
