"""Checks of this machine: disk, memory, open files and ports."""

import asyncio
import errno
import os
import resource
import socket
from pathlib import Path

import httpx

from services.cli.doctor.finding import CheckFinding, Status
from services.common.disk_space import GB, DiskSpace

# `pairstream up` has 0.6 to 0.8 GB resident with six pairs at 8,000 ticks/s (benchmarks/results).
_WANTED_MEMORY = 2 * GB
_LEAST_MEMORY = 1 * GB
# The API alone takes 1,000 streams; each is an open file, beside those of the database and the broker.
_WANTED_FILES = 4_096
_LEAST_FILES = 512
_MEMORY_INFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def disk(directory: Path) -> CheckFinding:
    """Return how much room is left where `directory` is or would be."""
    place = next(path for path in (directory.absolute(), *directory.absolute().parents) if path.is_dir())
    space = DiskSpace.of(place)
    found = f"{space} at {place}"
    if space.state == "full":
        return CheckFinding("disk", "fail", found, "free space, or choose another --data-dir")
    if space.state == "little":
        return CheckFinding("disk", "warn", found, "free space, or keep fewer ticks (pairstream up --keep)")
    return CheckFinding("disk", "ok", found)


def memory() -> CheckFinding:
    """Return how much memory processes can still take, within the limit of a container, too."""
    available = _available_bytes()
    if available is None:
        return CheckFinding("memory", "ok", "not measured: this system has no /proc/meminfo")
    found = f"{available / GB:,.1f} GB available"
    if available < _LEAST_MEMORY:
        return CheckFinding(
            "memory", "fail", found, f"expected {_WANTED_MEMORY / GB:.0f} GB for all services"
        )
    if available < _WANTED_MEMORY:
        return CheckFinding(
            "memory", "warn", found, f"{_WANTED_MEMORY / GB:.0f} GB are comfortable for all services"
        )
    return CheckFinding("memory", "ok", found)


def _available_bytes() -> int | None:
    if not _MEMORY_INFO.exists():
        return None
    lines = dict(line.split(":", 1) for line in _MEMORY_INFO.read_text().splitlines())
    available = int(lines["MemAvailable"].split()[0]) * 1024
    limit, used = _CGROUP / "memory.max", _CGROUP / "memory.current"
    if limit.exists() and used.exists() and (most := limit.read_text().strip()) != "max":
        available = min(available, int(most) - int(used.read_text()))
    return available


def open_files() -> CheckFinding:
    """Return how many files and connections a process may have open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = "unlimited" if soft == resource.RLIM_INFINITY else f"{soft:,}"
    found = f"a process may have {most} open"
    if soft == resource.RLIM_INFINITY or soft >= _WANTED_FILES:
        return CheckFinding("open files", "ok", found)
    more = "" if hard == resource.RLIM_INFINITY or hard >= _WANTED_FILES else f" (the hard limit is {hard:,})"
    status: Status = "fail" if soft < _LEAST_FILES else "warn"
    return CheckFinding("open files", status, found, f"ulimit -n {_WANTED_FILES}{more}")


async def port(name: str, variable: str, host: str, number: int) -> CheckFinding:
    """Return whether a listener's port is free, or has a pairstream that answers there already."""
    at = f"{name} at {host}:{number}"
    if number == 0:
        return CheckFinding("port", "ok", f"{name} takes a free one")
    problem = await asyncio.to_thread(_taken, host, number)
    if problem is None:
        return CheckFinding("port", "ok", f"{at} is free")
    if problem != errno.EADDRINUSE:
        return CheckFinding("port", "fail", f"{at}: {os.strerror(problem)}", f"set {variable}")
    if await _is_ours(host, number):
        return CheckFinding("port", "ok", f"{at}: pairstream is running there")
    return CheckFinding("port", "fail", f"{at} is taken by another program", f"set {variable}, or stop it")


def _taken(host: str, number: int) -> int | None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as error:
            return error.errno or errno.EINVAL
    return None


async def _is_ours(host: str, number: int) -> bool:
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    address = f"[{reached}]" if ":" in reached else reached
    try:
        async with httpx.AsyncClient(timeout=3, trust_env=False) as client:
            answer = await client.get(f"http://{address}:{number}/healthz")
    except httpx.HTTPError:
        return False
    return answer.is_success
