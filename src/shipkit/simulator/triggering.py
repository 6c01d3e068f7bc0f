"""One thing that shall happen to a parcel now, and how the carrier tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import attrs

from .journeys import StepKind
from .push_faults import PushFault
from .records import NotInBooksError, Subscription
from .world import World

__all__ = ["TRIGGERS", "Trigger"]

_LATE_S: Final = 6 * 3600

#: What can be asked for: the milestones of the model that a carrier tells of, and every step there is.
TRIGGERS: Final[Mapping[str, StepKind]] = {
    **{kind.value: kind for kind in StepKind if kind not in (StepKind.VOIDED, StepKind.UNEXPLAINED)},
    "in_transit": StepKind.ARRIVED,
    "delivery_attempted": StepKind.ATTEMPTED,
}


def _known(_: object, __: object, name: str) -> None:
    if name not in TRIGGERS:
        raise ValueError(f"nothing that can happen is called {name}; there are {', '.join(TRIGGERS)}")


@attrs.frozen(kw_only=True)
class Trigger:
    """Let everything on a parcel's way up to *milestone* happen, and push what was not pushed yet.

    Without a *number* it is the newest parcel to which it can still happen. *to* is an address to push to from now on,
    with the *secret* that both sides know; without it those who have subscribed are pushed to. *late*: it happened up
    to six hours ago, and only now it is told. *unknown_code*: before it something happens that no list explains.
    """

    milestone: str = attrs.field(validator=_known)
    number: str = ""
    to: str = ""
    secret: str = attrs.field(default="", repr=False)
    late: bool = False
    duplicate: bool = False
    reversed: bool = False
    unsigned: bool = False
    unknown_code: bool = False

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Trigger:
        """From JSON.

        Raises:
            ValueError: a member is missing, unknown, or not of its kind.
        """
        fields = {field.name: bool if field.default is False else str for field in attrs.fields(cls)}
        for name, value in data.items():
            if name not in fields:
                raise ValueError(f"a trigger has no {name}; it has {', '.join(fields)}")
            if not isinstance(value, fields[name]):
                raise ValueError(f"{name} is a {'truth value' if fields[name] is bool else 'text'}")
        if "milestone" not in data:
            raise ValueError("a trigger names a milestone")
        return cls(**data)

    @property
    def faults(self) -> tuple[PushFault, ...]:
        """What goes wrong with the pushes."""
        return (PushFault(name="unsigned"),) if self.unsigned else ()

    @property
    def manner(self) -> Mapping[str, Any]:
        """How they are sent."""
        return {"order": "reversed" if self.reversed else "in_order", "copies": 2 if self.duplicate else 1}

    def prepare(self, world: World) -> tuple[str, datetime]:
        """Change the books so that it happens; the parcel's number, and when it does.

        Raises:
            NotInBooksError: there is no such parcel, or nobody to push to.
            ValueError: it cannot happen any more.
        """
        kind = TRIGGERS[self.milestone]
        number, at = self._happening(world, kind)
        if self.to:
            self._subscribe(world, number)
        elif not any(each.covers(number) for each in world.subscriptions()):
            raise NotInBooksError(f"nobody has subscribed to pushes for {number}: say where they shall go (to)")
        return number, at

    def _happening(self, world: World, kind: StepKind) -> tuple[str, datetime]:
        numbers = [self.number] if self.number else [parcel.number for parcel in reversed(world.parcels())]
        said = f"there is no parcel to which {kind.value} can still happen: book one"
        for number in numbers:
            happened = world.parcel(number).steps_until_now()
            if happened and happened[-1].kind is kind:
                return number, happened[-1].at
            try:
                lag_s = _LATE_S if self.late else 0.0
                return number, world.hurry(number, kind, lag_s=lag_s, unexplained=self.unknown_code)
            except ValueError as impossible:
                said = str(impossible) if self.number else said
        raise ValueError(said)

    def _subscribe(self, world: World, number: str) -> Subscription:
        for known in world.subscriptions():
            if known.url == self.to and known.covers(number) and self.secret in ("", known.credential):
                return known
        return world.subscribe(
            subscription_id=f"trigger-{world.next('trigger')}",
            url=self.to,
            numbers=(number,),
            credential=self.secret,
            account=world.by_number(number).account,
        )
