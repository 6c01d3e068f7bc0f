"""The four simulated carriers as a campaign meets them: what is ordered, with which account, over which exchanges."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import attrs

from shipkit import Carrier, Client, MemoryStore, ShipkitError
from shipkit.carrier import Cancels, able
from shipkit.model import (
    DocumentFormat,
    FindMethod,
    LabelSpec,
    Operation,
    RecoveryFacts,
    RecoveryMode,
    ServicePointRef,
    ShipmentRequest,
)
from shipkit.registry import Registry
from shipkit.simulator import Simulator
from tests.benchmarks.requests import american, french

from .times import Times

__all__ = ["CODES", "account", "cancels", "exchanges", "finds_all", "order", "recovers", "simulator"]

_ZPL: Final = LabelSpec(format=DocumentFormat.ZPL)
_ORDERS: Final[dict[str, ShipmentRequest]] = {
    "ups": attrs.evolve(american(), label=_ZPL),
    "easypost": attrs.evolve(american(), packages=american().packages[:1], service="usps/Priority"),
    "dpd_fr": attrs.evolve(french(), service="classic", label=_ZPL),
    "mondialrelay": attrs.evolve(french(), service="24R", service_point=ServicePointRef(id="020288", country="FR")),
}
_ACCOUNTS: Final[dict[str, dict[str, Any]]] = {
    "ups": {"client_id": "id", "client_secret": "secret", "shipper_number": "A1B2C3"},
    "easypost": {"api_key": "EZTK0123456789"},
    "dpd_fr": {"userid": "user", "password": "secret", "customer_center": 77, "customer_number": 12345},
    "mondialrelay": {"enseigne": "BDTEST13", "private_key": "PrivateK"},
}
CODES: Final = tuple(_ORDERS)


def order(code: str, key: str, pieces: int = 1) -> ShipmentRequest:
    """One order, whose number at the carrier is its key: so the books can be read per key, marks or none."""
    asked = _ORDERS[code]
    boxes = tuple(attrs.evolve(asked.packages[0], ref=str(number)) for number in range(1, pieces + 1))
    return attrs.evolve(asked, packages=boxes, reference=key)


def account(code: str, url: str, settle_s: int | None = None) -> Carrier:
    """The plugin's own carrier; with *settle_s* one whose facts state another settling time, for runs in real time."""
    plugin = _plugin(code)
    if settle_s is not None:
        facts = plugin.facts()
        quick = attrs.evolve(facts, recovery=attrs.evolve(facts.recovery, settle_s=settle_s))
        plugin = type(plugin.__name__, (plugin,), {"facts": classmethod(lambda cls: quick)})
    made: Carrier = plugin(base_url=url, **_ACCOUNTS[code])
    return made


def simulator(code: str) -> Simulator:
    """That carrier on loopback, not yet started."""
    return Simulator(_dialect(code)())


@cache
def _dialect(code: str) -> Any:
    return Registry().simulator(code)


def _facts(code: str) -> RecoveryFacts:
    found: RecoveryFacts = _plugin(code).facts().recovery
    return found


def recovers(code: str) -> bool:
    """Whether the carrier can be asked what became of an unanswered booking."""
    return _facts(code).mode is not RecoveryMode.NONE


def finds_all(code: str) -> bool:
    """Whether one exact look-up shows every booking of a mark (else a list is read)."""
    return _facts(code).find is FindMethod.EXACT_ALL


@cache
def cancels(code: str) -> bool:
    return able(account(code, ""), Cancels) and Operation.CANCEL_SHIPMENT in _plugin(code).facts().operations


@cache
def _plugin(code: str) -> Any:
    return Registry().carrier(code)


@cache
def exchanges(code: str) -> tuple[str, ...]:
    """The carrier's operations that booking, looking up, completing and cancelling touch, as seen in its own books."""
    times = Times()
    with simulator(code) as sim, Client({code: account(code, sim.url)}, store=MemoryStore(clock=times)) as client:
        for key, fault in (("walk-1", ""), ("walk-2", "drop_after_commit"), ("walk-3", "drop_before")):
            if fault:
                sim.add_fault(fault)
            for _ in range(3):
                for ask in (
                    lambda key=key: client.create_shipment(order(code, key), account=code, key=key),
                    lambda key=key: client.cancel_shipment(key=key),
                ):
                    try:
                        ask()
                    except ShipkitError:
                        times.advance(sim, 2000)
        seen = {record.operation for record in sim.requests() if record.operation}
    return tuple(sorted(seen))
