"""Commands for what a store keeps beyond the day: how much it is, what goes, what is forgotten."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from .arguments import AsJson, ConfigFile

__all__ = ["store_export", "store_forget", "store_purge", "store_restored", "store_show"]

Days = Annotated[float | None, Parameter(validator=Number(gte=0), help="Days at rest; else the setting says it.")]
Yes = Annotated[bool, Parameter(name="--yes", negative="", show_default=False, help="Do it; else it is only told.")]


def store_show(*, config: ConfigFile = None, json: AsJson = False) -> int:
    """Where the store is, how many keys stand in which phase, and what waits in which queue."""
    from ..keeping import opened, shown

    with opened(config) as kept:
        return shown(kept, as_json=json)


def store_purge(
    *,
    bodies: Days = None,
    documents: Days = None,
    webhooks: Days = None,
    evidence: Days = None,
    announcements: Days = None,
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """Take away what has ended: requests and answers of keys, and later their documents; the keys stay used.

    Likewise bodies of pushes that were read, events of parcels whose journey has ended, and announcements all took.
    """
    from ..keeping import opened, purged

    with opened(config) as kept:
        return purged(kept, bodies, documents, webhooks, evidence, announcements, as_json=json)


def store_export(
    *,
    prefix: Annotated[str, Parameter(name="--prefix", help="Keys that begin with it only.")] = "",
    config: ConfigFile = None,
) -> int:
    """Everything that is kept, names and labels too, a line of JSON for each row, push, parcel, event and so on."""
    from ..keeping import exported, opened

    with opened(config) as kept:
        return exported(kept, prefix)


def store_forget(
    key: Annotated[tuple[str, ...], Parameter(help="The host's keys.")],
    /,
    *,
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """Blank what is personal under these keys, labels, events and pushes too; what was done and when it was stays."""
    from ..keeping import forgotten, opened

    with opened(config) as kept:
        return forgotten(kept, key, as_json=json)


def store_restored(
    *,
    age_s: Annotated[
        float, Parameter(name="--age-s", validator=Number(gt=0), help="How old the backup is, or the lag.")
    ],
    yes: Yes = False,
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """Say that the store lost its newest commits: what may be lost is looked for before anything is bought."""
    from ..keeping import opened, restored

    with opened(config) as kept:
        return restored(kept, age_s, sure=yes, as_json=json)
