"""``pairstream keys``: new, list and revoke API keys."""

import argparse
import os
import sys
from pathlib import Path
from typing import get_args

from services.api.security import api_keys
from services.common.errors import FatalError

VARIABLE = "PAIRSTREAM_API_KEYS_FILE"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    names = parser.add_subparsers(required=True, metavar="COMMAND")
    created = names.add_parser("new", help="make one; it is shown once and only its hash is kept")
    created.add_argument("name", metavar="NAME", help="whose it is: seen in the audit log")
    created.add_argument(
        "--role", choices=get_args(api_keys.Role), default="read", help="default: %(default)s"
    )
    created.set_defaults(run=_new)
    listed = names.add_parser("list", help="names and roles")
    listed.set_defaults(run=_list)
    revoked = names.add_parser("revoke", help="remove one; a running API notices within a second")
    revoked.add_argument("name", metavar="NAME")
    revoked.set_defaults(run=_revoke)
    for one in (created, listed, revoked):
        one.add_argument("--file", metavar="FILE", type=Path, help=f"default: {VARIABLE}")


def _new(flags: argparse.Namespace) -> None:
    path = _file(flags)
    text = _text(path) if path.exists() else ""
    try:
        token, key = api_keys.new(flags.name, flags.role)
        added = "\n".join([*text.splitlines(), f"{key}\n"])
        api_keys.parse(added)
    except ValueError as error:
        raise FatalError(f"{path}: {error}") from error
    _write(path, added)
    sys.stdout.write(f"{token}\n")
    sys.stderr.write(f"key {key.name}, role {key.role}, added to {path}; it is not shown again\n")


def _list(flags: argparse.Namespace) -> None:
    path = _file(flags)
    try:
        found = api_keys.read(path)
    except ValueError as error:
        raise FatalError(f"{path}: {error}") from error
    sys.stdout.writelines(f"{key.name} {key.role}\n" for key in found)


def _revoke(flags: argparse.Namespace) -> None:
    """Remove the line of a key, also from a file that is wrong elsewhere."""
    path = _file(flags)
    lines = _text(path).splitlines(keepends=True)
    kept = [line for line in lines if line.split()[:1] != [flags.name]]
    if len(kept) == len(lines):
        raise FatalError(f"NAME: expected one of {path}, received {flags.name!r}")
    _write(path, "".join(kept))


def _file(flags: argparse.Namespace) -> Path:
    name = flags.file or os.environ.get(VARIABLE)
    if not name:
        raise FatalError(f"--file: expected a file, here or in {VARIABLE}, received none")
    return Path(name)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise FatalError(f"--file: expected a readable file, received {path}: {error.strerror}") from error


def _write(path: Path, text: str) -> None:
    """Write in place: the file keeps its owner and mode, and may be mounted into a container."""
    try:
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FatalError(f"--file: expected a writable file, received {path}: {error.strerror}") from error
