"""Costs of a pipeline's processes: processor time and memory, by name."""

from collections import defaultdict

import psutil

_NAMES = ("ingest", "stream_analytics", "alerting", "sink", "research", "api", "ui")
BROKER = "pairstream"
"""The process of ``pairstream up``, which is the embedded broker, too."""


class Processes:
    """``pairstream up`` and all that it started, PostgreSQL's processes included."""

    def __init__(self, pid: int) -> None:
        self._up = psutil.Process(pid)
        self._seen: dict[int, psutil.Process] = {}

    def processor_s(self) -> dict[str, float]:
        """Return the seconds that each name has had of all cores so far.

        Children that have ended are in the account of their parents, so nothing is forgotten. What ended of the
        services themselves, because they were started again, is under ``ended``.
        """
        spent: dict[str, float] = defaultdict(float)
        for name, process in self._named():
            try:
                times = process.cpu_times()
            except psutil.Error:
                continue
            spent[name] += times.user + times.system
            spent["ended" if name == BROKER else name] += times.children_user + times.children_system
        return dict(spent)

    def memory_mb(self) -> dict[str, float]:
        """Return the proportional memory of each name: what is shared is counted once."""
        used: dict[str, float] = defaultdict(float)
        for name, process in self._named():
            try:
                used[name] += process.memory_full_info().pss / 1e6
            except psutil.Error:
                continue
        return {name: round(value, 1) for name, value in used.items()}

    def end(self) -> list[str]:
        """Kill what is left, and return the names of it."""
        left = [process for process in self._seen.values() if _lives(process)]
        names = []
        for process in left:
            try:
                names.append(process.name())
                process.kill()
            except psutil.Error:
                continue
        psutil.wait_procs(left, timeout=10)
        return names

    def _named(self) -> list[tuple[str, psutil.Process]]:
        found = [(BROKER, self._up)]
        try:
            for child in self._up.children():
                name = _name(child)
                found += [(name, one) for one in (child, *child.children(recursive=True))]
        except psutil.Error:
            pass
        self._seen |= {process.pid: process for _, process in found}
        return found


def machine_s() -> float:
    """Return the seconds that all cores of the machine have been busy so far, or were taken from it."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def spent(before: dict[str, float], after: dict[str, float], wall_s: float) -> dict[str, float]:
    """Return the share of one core (%) that each name had between two looks `wall_s` apart."""
    return {name: round(100 * (after[name] - before.get(name, 0.0)) / wall_s, 1) for name in sorted(after)}


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _name(process: psutil.Process) -> str:
    try:
        command = process.cmdline()
    except psutil.Error:
        return "ended"
    return next((name for name in _NAMES if f"services.{name}" in command), "database")
