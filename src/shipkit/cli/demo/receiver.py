"""A host that is pushed to, on loopback."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final

from typing_extensions import Self

__all__ = ["Receiver"]

_LONGEST: Final = 1_000_000


class Receiver:
    """Gives every push to *receive*: the last part of its path (the account), its headers, its raw body.

    Answers 204 when *receive* says that the push is kept, else 400.
    """

    def __init__(self, receive: Callable[[str, Mapping[str, str], bytes], bool]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = min(int(self.headers.get("Content-Length") or 0), _LONGEST)
                kept = receive(self.path.rpartition("/")[2], dict(self.headers.items()), self.rfile.read(length))
                self.send_response(204 if kept else 400)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the server's name for it
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def url(self, account: str) -> str:
        """Where pushes of *account* go."""
        return f"http://127.0.0.1:{self._server.server_port}/pushes/{account}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
