"""Through which proxy a request leaves, and what is said to it.

An account's own setting comes before the client's. Without either a request goes out directly, whatever the
environment says; ``"environment"`` asks for the proxies of the environment, as `urllib.request` reads them.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator
from urllib.parse import unquote, urlsplit

import attrs
import httpcore

from ..errors import InputError, NotSentError
from ..settings import DIRECT, ENVIRONMENT, proxy_parts

__all__ = ["Proxy", "opening", "proxy_for"]

_HEAD_MAX = 65_536


@attrs.frozen
class Proxy:
    """An HTTP proxy: where it is, and the header that proves who we are."""

    host: str
    port: int
    authorization: str = attrs.field(default="", repr=False)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """What the proxy wants of a request beside the request's own headers."""
        return [(b"Proxy-Authorization", self.authorization.encode("ascii"))] if self.authorization else []


def proxy_for(setting: str, url: str) -> Proxy | None:
    """The proxy that *setting* means for *url*; None to go directly.

    Raises:
        NotSentError: the environment names one that cannot be used; nothing goes out past it.
    """
    if setting == ENVIRONMENT:
        setting = _of_environment(url)
    if setting in ("", DIRECT):
        return None
    try:
        host, port, credentials = proxy_parts(setting)
    except InputError as error:
        raise NotSentError(f"the environment's proxy {error.problems[0].text}: nothing left") from None
    name, _, password = credentials.partition(":")
    pair = f"{unquote(name)}:{unquote(password)}".encode()
    return Proxy(host, port, f"Basic {b64encode(pair).decode()}" if credentials else "")


def _of_environment(url: str) -> str:
    from urllib.request import getproxies, proxy_bypass  # loads much, and is rarely asked for

    parts, proxies = urlsplit(url), getproxies()
    # urllib.request asks with the port, and an entry may name one; of an IPv6 address it means what stands in brackets.
    authority = parts.netloc.rpartition("@")[2]
    if proxy_bypass(parts.hostname or "") or proxy_bypass(authority):
        return ""
    found = proxies.get(parts.scheme.lower()) or proxies.get("all") or ""
    return found if not found or "://" in found else f"http://{found}"


def opening(proxy: Proxy, host: str, port: int) -> Generator[bytes, bytes, None]:
    """Ask *proxy* for a tunnel (RFC 9110, 9.3.6): yields what to send, is sent what came, ends when the tunnel stands.

    Raises:
        httpcore.ProxyError: it refused, or what it said is no answer.
    """
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1".encode("ascii"), b"Host: " + target.encode("ascii")]
    lines += [name + b": " + value for name, value in proxy.headers]
    asked = b"\r\n".join([*lines, b"", b""])
    data = yield asked
    while True:
        while b"\r\n\r\n" not in data:
            if len(data) > _HEAD_MAX:
                raise httpcore.ProxyError("no end of its answer")
            came = yield b""
            if not came:
                raise httpcore.ProxyError("closed")
            data += came
        head, _, data = data.partition(b"\r\n\r\n")
        status = _status(head)
        if status < 200 and status != 101:
            continue
        # Nobody speaks before us in TLS: bytes behind the head are not of the carrier.
        if not 200 <= status < 300 or data:
            raise httpcore.ProxyError(str(status))
        return


def _status(head: bytes) -> int:
    version, _, rest = head.partition(b"\r\n")[0].partition(b" ")
    number = rest[:3]
    if not version.startswith(b"HTTP/1.") or not number.isdigit() or rest[3:4] not in (b"", b" "):
        raise httpcore.ProxyError("no HTTP")
    return int(number)
