import socket
from contextlib import closing

from services.common.http import serving


def test_no_answer_waits_for_its_first_half_to_be_acknowledged() -> None:
    with (
        closing(serving.listen("127.0.0.1", 0, "API")) as listener,
        socket.create_connection(listener.getsockname()),
    ):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
