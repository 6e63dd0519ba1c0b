"""Ports of ``pairstream up``: its services find them free, however long they take to start."""

import socket
import sys
from contextlib import closing

import pytest

from services.cli.up import held_port
from services.common.errors import FatalError
from services.common.http import serving


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets two sockets share a name")
def test_a_port_is_given_to_nobody_but_to_the_service_that_listens_there() -> None:
    with held_port("127.0.0.1", 0, "--ui-port") as port:
        with closing(socket.socket()) as stranger, pytest.raises(OSError, match="in use"):
            stranger.bind(("127.0.0.1", port))
        for _ in range(2):
            with (
                closing(serving.listen("127.0.0.1", port, "UI")),
                closing(socket.create_connection(("127.0.0.1", port), 5)),
            ):
                pass


def test_a_port_where_somebody_listens_is_refused() -> None:
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as taken,
        pytest.raises(FatalError, match="--api-port: expected a free port"),
        held_port("127.0.0.1", taken.getsockname()[1], "--api-port"),
    ):
        pass
