"""Addresses of others that a host configures: what may be sent there, or believed from there."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

__all__ = ["is_private_on_the_way"]


def is_private_on_the_way(url: str) -> bool:
    """Whether *url* is https, or http on this machine, with no user and no fragment in it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or parts.fragment or not url.isascii() or any(char <= " " for char in url):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
