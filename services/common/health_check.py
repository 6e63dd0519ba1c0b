"""Health check of a container: ``python -m services.common.health_check`` asks the service in it; exit code 1 is no.

It runs every few seconds beside the service, so it imports nothing but the standard library.
"""

import http.client
import os
import sys
from collections.abc import Mapping

TIMEOUT_S = 4.0
# The variable of the port, its default, and the path that answers 200 if the service can do its work.
HTTP = {"api": ("PAIRSTREAM_API_PORT", 8000, "/readyz"), "ui": ("PAIRSTREAM_UI_PORT", 8050, "/healthz")}
METRICS = ("PAIRSTREAM_METRICS_PORT", 9100, "/healthz")


def problem(environ: Mapping[str, str]) -> str | None:
    """Return why the service that ``SERVICE`` names is not well, None if it is."""
    variable, default, path = HTTP.get(environ.get("SERVICE", ""), METRICS)
    text = environ.get(variable) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        return f"{variable}: expected a port from 1 to 65535, which the check can ask, received {text!r}"
    connection = http.client.HTTPConnection("127.0.0.1", int(text), timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        said = response.read(500).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return f"port {text}{path}: expected an answer within {TIMEOUT_S:g} s, received {error!r}"
    finally:
        connection.close()
    return None if response.status == 200 else f"port {text}{path}: {response.status} {said}"


if __name__ == "__main__":
    sys.exit(problem(os.environ))
