"""The base of every value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import attrs

from shipkit.model._fit import PLANS, Plan
from shipkit.model.scalars import EMPTY, Json

__all__ = ["Value", "evolve"]

V = TypeVar("V", bound="Value")


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Value:
    """The base of every value of the model: frozen, checked when it is built, masked when it is shown.

    Lists given for tuples, text for numbers and for enums are converted; wrong types, floats, numbers that are not
    finite and datetimes without a zone are refused with an `InputError` that names every field at fault.
    """

    extras: Mapping[str, Json] = attrs.field(default=EMPTY, hash=False, repr=False)
    """Members of the JSON that this version does not know; they come back out."""

    def __attrs_post_init__(self) -> None:
        (PLANS.get(self.__class__) or plan_of(self.__class__)).settle(self)
        self._whole()

    def _whole(self) -> None:
        """What holds between the fields, once each of them fits."""

    # Comparing and hashing once, here: attrs would write both anew for each of a hundred classes when it is imported.

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        get = (PLANS.get(self.__class__) or plan_of(self.__class__)).get
        return bool(get(self) == get(other))

    def __hash__(self) -> int:
        plan = PLANS.get(self.__class__) or plan_of(self.__class__)
        return hash((self.__class__, plan.hashed(self)))

    def __repr__(self) -> str:
        from shipkit.model import _show  # the first repr pays for it, not the import

        return _show.text(self)


def evolve(value: V, /, **changes: Any) -> V:
    """A copy of *value* with *changes*, at a third of what ``attrs.evolve`` costs: only the changes are checked.

    Raises:
        InputError: a change does not fit its field.
    """
    return (PLANS.get(value.__class__) or plan_of(value.__class__)).changed(value, changes)  # type: ignore[no-any-return]


def plan_of(cls: type[Value]) -> Plan:
    """The plan of a class that has none yet."""
    plan = PLANS[cls] = Plan(cls, ruled=cls._whole is not Value._whole)
    return plan
