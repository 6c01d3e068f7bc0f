"""Hostile deliveries, a few thousand of them; ``python -m tests.service.hostile --profile full`` sends 100,000."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

import pytest

from tests.service.hostile import REQUESTS, run
from tests.service.hosting import Hosted
from tests.service.pusher import signed


@pytest.mark.slow
@pytest.mark.process
def test_nothing_hostile_is_taken_and_everything_taken_is_on_the_disk(tmp_path: Path) -> None:
    wrong, figures = run(REQUESTS["ci"], 4, tmp_path)
    assert wrong == [], figures
    answers = figures["answers"]
    assert isinstance(answers, dict)
    assert answers["good"]["200"] > 300  # what is good is taken, among all the rest
    assert set(answers["forged"]) <= {"401", "429", "503", "closed"}


@pytest.mark.process
def test_what_cannot_be_read_behind_an_answer_is_no_failure_of_the_server(tmp_path: Path) -> None:
    log = tmp_path / "log"
    host = Hosted("sqlite", str(tmp_path / "inbox.db"), log=log)
    try:
        for path, status in (("/nobody", b"404"), (host.paths["shop"], b"400")):
            with socket.create_connection(("127.0.0.1", host.port), 30) as sender:
                sender.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
                if status == b"404":
                    assert sender.recv(12) == b"HTTP/1.1 404"  # and nothing more is read of a body that nobody wants
                with suppress(OSError):
                    sender.sendall(b"no size of a chunk\r\n\r\n")
                    if status == b"400":
                        assert sender.recv(12) == b"HTTP/1.1 400"
                    while sender.recv(65_536):
                        pass
        with socket.create_connection(("127.0.0.1", host.port), 30) as sender:  # all of it at once
            sender.sendall(b"POST /nobody HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n\r\n")
            with suppress(OSError):
                while sender.recv(65_536):
                    pass
    finally:
        assert host.end() == 0
    assert "Traceback" not in log.read_text()


@pytest.mark.process
def test_a_body_of_two_lengths_is_refused_and_nothing_behind_it_is_read(tmp_path: Path) -> None:
    body = b'{"number": "1", "code": "PU"}'
    host = Hosted("sqlite", str(tmp_path / "inbox.db"))
    try:
        head = f"POST {host.paths['shop']} HTTP/1.1\r\nHost: x\r\n"
        signature = f"X-Pusher-Signature: {signed(body)['x-pusher-signature']}\r\n"
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        for length, status in (("", b"200"), ("Content-Length: 4\r\n", b"400")):
            with socket.create_connection(("127.0.0.1", host.port), 30) as sender:
                text = f"{head}{signature}{length}Transfer-Encoding: chunked\r\n\r\n"
                sender.sendall(text.encode() + chunked)
                assert sender.recv(12) == b"HTTP/1.1 " + status
                if length:
                    with suppress(OSError):
                        sender.sendall(f"GET {host.paths['shop']} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                        rest = b""
                        while piece := sender.recv(65_536):
                            rest += piece
                        assert b"HTTP/1.1" not in rest
    finally:
        assert host.end() == 0
