"""Channel of Apprise: chats and phones, by a library of which the service may have none.

It opens its own connections, to wherever its URL says: an operator has to allow it.
"""

import asyncio
from typing import Any

from services.delivery.channels.answer import Answer
from services.delivery.settings import DeliverySettings

_EXTRA = "delivery-apprise"


async def send(settings: DeliverySettings, url: str, title: str, text: str) -> Answer:
    """Send a text and return what came of it; the library tells no more than whether it went."""
    if not settings.delivery_apprise:
        return Answer(
            "expected PAIRSTREAM_DELIVERY_APPRISE to allow Apprise, received false: ask who runs delivery"
        )
    # It loads a hundred modules, and waits without asyncio.
    return await asyncio.to_thread(_notify, url, title, text)


def _notify(url: str, title: str, text: str) -> Answer:
    try:
        import apprise  # of an extra, and it takes memory
    except ImportError:
        return Answer(f"expected the extra {_EXTRA} to be installed, received none: ask who runs delivery")
    # Redirects would leave the target, and a second try inside a try would send twice.
    asset: Any = apprise.AppriseAsset(
        http_redirects=False, default_service_retry=0, async_mode=False, app_id="pairstream"
    )
    sender = apprise.Apprise(asset=asset)
    if not sender.add(url):
        return Answer("expected a URL that Apprise takes, received another: see its documentation")
    if sender.notify(body=text, title=title):
        return Answer(None)
    return Answer("expected Apprise to send, received a failure without a reason")
