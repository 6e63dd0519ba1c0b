"""Settings of delivery that contradict each other are refused by name."""

import pytest

from services.common.errors import FatalError
from services.common.settings import load
from services.delivery.settings import DeliverySettings


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"PAIRSTREAM_SMTP_HOST": "mail.test"}, "PAIRSTREAM_SMTP_FROM"),
        ({"PAIRSTREAM_SMTP_USERNAME": "me"}, "PAIRSTREAM_SMTP_PASSWORD"),
        ({"PAIRSTREAM_DELIVERY_ALLOW_PRIVATE": "10.0.0.1/8"}, "PAIRSTREAM_DELIVERY_ALLOW_PRIVATE"),
        ({"PAIRSTREAM_DELIVERY_TIMEOUT_S": "60"}, "PAIRSTREAM_DELIVERY_TIMEOUT_S"),
    ],
)
def test_a_wrong_setting_is_named(variables: dict[str, str], named: str) -> None:
    with pytest.raises(FatalError, match=named):
        load(DeliverySettings, variables)


def test_no_error_tells_the_password() -> None:
    with pytest.raises(FatalError) as raised:
        load(DeliverySettings, {"PAIRSTREAM_SMTP_PASSWORD": "hidden"})
    assert "hidden" not in str(raised.value)
