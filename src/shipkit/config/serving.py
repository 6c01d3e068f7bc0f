"""How ``shipkit serve`` runs, as a configuration says it: ``[service]`` and ``[service.bounds]``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from ..errors import InputError
from ..model import Problem, ProblemCode
from .tables import Key, TableReader

__all__ = ["Bounds", "ServiceChoice", "service"]


@attrs.frozen(kw_only=True)
class Bounds:
    """The limits of one endpoint process. What is over them is answered 429 or 503, with ``Retry-After``."""

    body_s: float = 10.0
    """From the headers to the last byte of the body; a slower sender gets 408."""
    commit_s: float = 20.0
    """Until the store has it; after that the sender is told to come again."""
    headers_max: int = 100
    headers_max_bytes: int = 32_768
    at_once: int = 64
    """Pushes to one account under way."""
    bytes_at_once: int = 64_000_000
    """Of bodies that are read or wait for the store, of all accounts together."""
    per_s: float = 1000.0
    """Pushes to one account in a second, in the long run; twice as many may come in a burst."""
    strangers_per_s: float = 50.0
    """Requests in a second that are on no account's path, of everybody together."""
    connections: int = 1000
    """Open at once; more are closed with 503. Of the server that `shipkit serve` runs."""
    head_s: float = 10.0
    """Until the headers of a request are in, on that server."""

    def __attrs_post_init__(self) -> None:
        wrong = [name for name, value in attrs.asdict(self).items() if not value > 0]
        if wrong:
            text = "must be greater than 0"
            raise InputError(
                problems=tuple(Problem(path=f"/{name}", code=ProblemCode.NOT_POSITIVE, text=text) for name in wrong)
            )


@attrs.frozen(kw_only=True)
class ServiceChoice:
    """Where the endpoint listens, who is believed, and how many read."""

    host: str = "127.0.0.1"
    port: int = 8470
    reuse_port: bool = False
    """Several processes listen on the same port, and the system shares the connections out."""
    gateways: tuple[str, ...] = ("127.0.0.1",)
    """Addresses or networks whose ``X-Forwarded-For`` is believed."""
    public_url: str = ""
    """What stands before the paths of accounts in what carriers are told, such as ``https://{account}.hooks.example.com``;
    where it is given, carriers that take subscriptions are subscribed at."""
    workers: int = 1
    """Threads that read the inbox."""
    metrics_token: str = attrs.field(default="", repr=False)
    """Whoever brings it as a bearer token reads ``/metrics``; without one there is no such page."""
    idle_s: float = 0.5
    """How long the worker and the relay rest when nothing waits."""
    poll_idle_s: float = 15.0
    """How long the poller rests when no parcel is due."""
    bounds: Bounds = Bounds()


_TYPES: Final = {field.name: Key(str(field.type)) for field in attrs.fields(ServiceChoice) if field.name != "bounds"}
_KEYS: Final = {**_TYPES, "metrics_token": Key(secret=True)}
_BOUNDS: Final = {field.name: Key(str(field.type)) for field in attrs.fields(Bounds)}


def service(data: Mapping[str, Any], reader: TableReader) -> ServiceChoice:
    """What the table ``[service]`` says."""
    table = data.get("service", {})
    if not isinstance(table, dict):
        reader.findings.add(("service",), ProblemCode.MALFORMED, "must be a table: [service]")
        return ServiceChoice()
    values = reader.values(table, _KEYS, ("service",), ignore=("bounds",))
    for name in ("workers", "idle_s", "poll_idle_s"):
        if name in values and not values[name] > 0:
            reader.findings.add(("service", name), ProblemCode.NOT_POSITIVE, "must be greater than 0")
    if not values.get("public_url", "https://").startswith("https://"):
        reader.findings.add(("service", "public_url"), ProblemCode.MALFORMED, "must begin with https://")
    if not 0 <= values.get("port", 1) < 65_536:
        reader.findings.add(("service", "port"), ProblemCode.OUT_OF_RANGE, "must be from 0 to 65535")
    return ServiceChoice(**values, bounds=_bounds(table.get("bounds", {}), reader))


def _bounds(table: Any, reader: TableReader) -> Bounds:
    where = ("service", "bounds")
    if not isinstance(table, dict):
        reader.findings.add(where, ProblemCode.MALFORMED, "must be a table: [service.bounds]")
        return Bounds()
    values = reader.values(table, _BOUNDS, where)
    try:
        return Bounds(**values)
    except InputError as error:
        for problem in error.problems:
            reader.findings.add((*where, problem.path[1:]), problem.code, problem.text)
        return Bounds()
