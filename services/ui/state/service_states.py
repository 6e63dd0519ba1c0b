"""States of services in words, from the states of their processes."""

from services.ui.api.types import ServiceHealth


def partly_silent(service: ServiceHealth) -> str:
    """Return how many of its processes are silent, in words; empty if none or all of them are."""
    silent = sum(one.state == "silent" for one in service.instances)
    return f"{silent} of {len(service.instances)} silent" if 0 < silent < len(service.instances) else ""


def has_only_lost(service: ServiceHealth) -> bool:
    """Return whether an unacknowledged loss is the only fault."""
    return bool(service.unacknowledged and service.instances) and all(
        one.healthy for one in service.instances
    )
