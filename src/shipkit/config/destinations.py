"""Where announcements go, as a configuration says it: ``[destinations.erp] kind = "rabbitmq"``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from ..model import ProblemCode
from .tables import Key, TableReader

__all__ = ["DestinationChoice", "destinations"]

_TIME: Final = {"timeout_s": Key("float")}
_ADDRESS: Final = Key(required=True, secret=True)

# Each key is an argument of the publisher of that kind in shipkit.publishers.
_KINDS: Final[Mapping[str, Mapping[str, Key]]] = {
    "rabbitmq": {"url": _ADDRESS, "exchange": Key(), "prefix": Key(), "declare": Key("bool"), **_TIME},
    "nats": {
        "servers": Key("tuple[str, ...]", required=True, secret=True),
        "prefix": Key(),
        "make_stream": Key(),
        **_TIME,
    },
    "redis": {"url": _ADDRESS, "stream": Key(), "maxlen": Key("int"), "replicas": Key("int"), **_TIME},
    "kafka": {"bootstrap": _ADDRESS, "topic": Key(), "options": Key("table", secret=True), **_TIME},
    "http": {"url": _ADDRESS, "secrets": Key("tuple[str, ...]", required=True, secret=True), **_TIME},
}


@attrs.frozen(kw_only=True)
class DestinationChoice:
    """One destination: the kind of its publisher, and what that is made with. Addresses may hold passwords."""

    name: str
    kind: str
    options: Mapping[str, Any] = attrs.field(factory=dict, repr=False)


def destinations(data: Mapping[str, Any], reader: TableReader) -> dict[str, DestinationChoice]:
    """The destinations by name, without those that cannot be used."""
    found = {}
    for name, table in reader.named(data, "destinations").items():
        where = ("destinations", name)
        kind = table.get("kind")
        if not isinstance(kind, str) or kind not in _KINDS:
            code = ProblemCode.MISSING if "kind" not in table else ProblemCode.UNKNOWN_VALUE
            reader.findings.add((*where, "kind"), code, f"kind must be one of {', '.join(_KINDS)}")
            continue
        options = reader.values(table, _KINDS[kind], where, ignore=("kind",))
        found[name] = DestinationChoice(name=name, kind=kind, options=options)
    return found
