"""Registry of schemas in memory, as Redpanda and Confluent answer by HTTP: ``python fake_registry.py PORT``.

A new schema is FORWARD compatible if it requires all that the one before requires, each with the same type: readers of
the one before find what they need.
"""

import json
import sys
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


class FakeRegistry(ThreadingHTTPServer):
    """Versions of schemas by subject, and the level of compatibility of each subject."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address, _Handler)
        self.versions: dict[str, list[str]] = defaultdict(list)
        self.levels: dict[str, str] = {}
        self.refusal: tuple[int, Any] | None = None
        """Answer to everything, if there is one."""


def _problems(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    gone = [name for name in before.get("required", ()) if name not in after.get("required", ())]
    changed = [
        name
        for name, field in before.get("properties", {}).items()
        if after.get("properties", {}).get(name, field).get("type") != field.get("type")
    ]
    return [f"REQUIRED_ATTRIBUTE_REMOVED #/{name}" for name in gone] + [
        f"TYPE_CHANGED #/properties/{name}" for name in changed
    ]


class _Handler(BaseHTTPRequestHandler):
    server: FakeRegistry

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Write no line for each request."""

    def do_GET(self) -> None:
        self._answer(200, sorted(self.server.versions))

    def do_PUT(self) -> None:
        _, _, subject = self.path.split("/")
        self.server.levels[unquote(subject)] = self._sent()["compatibility"]
        self._answer(200, {"compatibility": self.server.levels[unquote(subject)]})

    def do_POST(self) -> None:
        sent = self._sent()
        parts = [unquote(part) for part in self.path.partition("?")[0].strip("/").split("/")]
        subject = parts[1] if parts[0] == "subjects" else parts[2]
        versions = self.server.versions.get(subject, [])
        before = json.loads(versions[-1]) if versions else {}
        problems = _problems(before, json.loads(sent["schema"]))
        if sent["schemaType"] != "JSON":
            self._answer(422, {"error_code": 42201, "message": "Invalid schema"})
        elif parts[0] == "compatibility":
            if not versions:
                self._answer(404, {"error_code": 40401, "message": f"Subject '{subject}' not found."})
            else:
                self._answer(200, {"is_compatible": not problems, "messages": problems})
        elif problems:
            self._answer(
                409, {"error_code": 409, "message": f"Schema being registered is incompatible: {problems}"}
            )
        else:
            if sent["schema"] not in versions:
                self.server.versions[subject].append(sent["schema"])
            self._answer(200, {"id": 1 + self.server.versions[subject].index(sent["schema"])})

    def _sent(self) -> dict[str, Any]:
        sent: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return sent

    def _answer(self, status: int, body: object) -> None:
        if self.server.refusal is not None:
            status, body = self.server.refusal
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


if __name__ == "__main__":
    FakeRegistry(("0.0.0.0", int(sys.argv[1]))).serve_forever()  # noqa: S104
