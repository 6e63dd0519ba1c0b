"""Embedded broker: librdkafka's mock cluster, which speaks the real protocol on a loopback port.

confluent-kafka carries librdkafka, and has no Python for what a mock cluster can be told: that goes by the C interface.
"""

import ctypes
import os
import socket
import weakref
from contextlib import ExitStack

from confluent_kafka import cimpl

from services.common.errors import FatalError

# The broker answers a fetch only when the fetch's wait is over: the latency of readers that are not woken.
FETCH_MAX_WAIT_MS = 5
# Of a partition; then it drops the oldest messages.
KEEPS_BYTES = 5 << 20
# How long the first member of a group waits for a second one, which a mock cluster cannot have.
_MEMBERS_WAIT_MS = 1
# File descriptors that a cluster opens, and a few more for its first clients.
_DESCRIPTORS = 24
_PRODUCER = 0
_TEXT_BYTES = 512
_Type = type[ctypes.c_void_p | ctypes.c_char_p | ctypes.c_int | ctypes.c_size_t | ctypes.c_int32]
_HANDLE, _TEXT, _INT, _SIZE = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_size_t


class EmbeddedBroker:
    """A broker that lives as long as this object: memory only, 4 partitions a topic, 5 MiB kept in each."""

    def __init__(self) -> None:
        _require_sockets()
        library = _library()
        configuration, why = library.rd_kafka_conf_new(), ctypes.create_string_buffer(_TEXT_BYTES)
        library.rd_kafka_conf_set(configuration, b"log_level", b"0", why, _TEXT_BYTES)
        owner = library.rd_kafka_new(_PRODUCER, configuration, why, _TEXT_BYTES)
        if not owner:
            raise FatalError(f"expected librdkafka to start, received {why.value.decode()}")
        cluster = library.rd_kafka_mock_cluster_new(owner, 1)
        if not cluster:
            reason = os.strerror(ctypes.get_errno())
            library.rd_kafka_destroy(owner)
            raise FatalError(f"expected the embedded broker to listen on loopback, received {reason}")
        self._end = weakref.finalize(self, _destroy, library, owner, cluster)
        library.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, _MEMBERS_WAIT_MS)
        self.servers: str = library.rd_kafka_mock_cluster_bootstraps(cluster).decode()


def _require_sockets() -> None:
    """FatalError where sockets cannot be had: without them librdkafka ends the process, by a failed assertion."""
    with ExitStack() as stack:
        try:
            for _ in range(_DESCRIPTORS):
                stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        except OSError as error:
            raise FatalError(
                f"expected {_DESCRIPTORS} sockets on loopback for the embedded broker, "
                f"received {os.strerror(error.errno or 0)}: raise the limit of open files (ulimit -n) or end programs"
            ) from error


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(cimpl.__file__, use_errno=True)
    types: dict[str, tuple[_Type | None, list[_Type]]] = {
        "rd_kafka_conf_new": (_HANDLE, []),
        "rd_kafka_conf_set": (_INT, [_HANDLE, _TEXT, _TEXT, _TEXT, _SIZE]),
        "rd_kafka_new": (_HANDLE, [_INT, _HANDLE, _TEXT, _SIZE]),
        "rd_kafka_destroy": (None, [_HANDLE]),
        "rd_kafka_mock_cluster_new": (_HANDLE, [_HANDLE, _INT]),
        "rd_kafka_mock_cluster_destroy": (None, [_HANDLE]),
        "rd_kafka_mock_cluster_bootstraps": (_TEXT, [_HANDLE]),
        "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [_HANDLE, ctypes.c_int32]),
    }
    for name, (answer, arguments) in types.items():
        function = getattr(library, name)
        function.restype, function.argtypes = answer, arguments
    return library


def _destroy(library: ctypes.CDLL, owner: int, cluster: int) -> None:
    library.rd_kafka_mock_cluster_destroy(cluster)
    library.rd_kafka_destroy(owner)
