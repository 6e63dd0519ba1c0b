"""Default headers of every response for browsers and caches, unless its route sets others."""

import re
from base64 import b64encode
from hashlib import sha256

from starlette.datastructures import MutableHeaders

_DEFAULTS = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def add_defaults(headers: MutableHeaders) -> None:
    """Add the default headers that a response lacks."""
    for name, value in _DEFAULTS.items():
        headers.setdefault(name, value)


def page_policy(html: str) -> str:
    """Return the Content-Security-Policy of a page of ours: our own files, and its inline scripts by their hashes."""
    hashes = (b64encode(sha256(script.encode()).digest()).decode() for script in _INLINE_SCRIPT.findall(html))
    scripts = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
