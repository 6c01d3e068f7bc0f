"""What the commands of the store do: they need its configuration, and no carrier."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs

from ..config import Config, loaded
from ..errors import NotSupportedError
from ..ports import Archive
from ..store.event_export import exported as events_exported
from ..store.sql_store import SqlStore

__all__ = ["Kept", "exported", "forgotten", "opened", "purged", "restored", "shown"]

OK, SOME_LEFT = 0, 1


@attrs.frozen
class Kept:
    """A store that lasts, with what its configuration says."""

    config: Config
    store: SqlStore

    @property
    def archive(self) -> Archive:
        """The store, as what its retention is about."""
        return self.store

    @property
    def space(self) -> str:
        """What all keys of this host begin with."""
        namespace = self.config.settings.namespace
        return f"{namespace}/" if namespace else ""


@contextmanager
def opened(config: Path | None) -> Iterator[Kept]:
    """The configured store.

    Raises:
        NotSupportedError: it ends with the process.
    """
    read = loaded(config)
    store = read.store()
    try:
        if not isinstance(store, SqlStore):
            raise NotSupportedError("this store ends with the process: there is nothing to keep")
        yield Kept(read, store)
    finally:
        store.close()


def shown(kept: Kept, *, as_json: bool) -> int:
    """Where it is, the keys by phase, and what waits where."""
    counts: Counter[str] = Counter()
    after, purged_rows = "", 0
    while page := kept.store.entries(prefix=kept.space, after=after, limit=500):
        counts.update(row.phase.value for row in page)
        purged_rows += sum(row.purged_at is not None for row in page)
        after = page[-1].key
    strays = len(kept.store.open_strays(1000, kept.space))
    queues = {" ".join(filter(None, (one.name, one.destination))): one.depth for one in kept.store.events.queues()}
    data = {"store": kept.config.store_choice.told, "keys": dict(sorted(counts.items()))}
    return _told(data | {"without_bodies": purged_rows, "open_strays": strays, "queues": queues}, as_json)


def purged(
    kept: Kept,
    bodies_days: float | None,
    documents_days: float | None,
    webhooks_days: float | None,
    evidence_days: float | None,
    announcements_days: float | None,
    *,
    as_json: bool,
) -> int:
    """Retention, as the settings say it or as it was asked for."""
    settings, now = kept.config.settings, kept.store.now()
    bodies = settings.retention_bodies_days if bodies_days is None else bodies_days
    documents = settings.retention_documents_days if documents_days is None else documents_days
    gone = kept.archive.purge(now - timedelta(days=bodies), now - timedelta(days=documents))
    webhooks = settings.retention_webhook_bodies_days if webhooks_days is None else webhooks_days
    evidence = settings.retention_evidence_days if evidence_days is None else evidence_days
    announcements = settings.retention_announcements_days if announcements_days is None else announcements_days
    also = kept.store.events.purge_events(*(now - timedelta(days=days) for days in (webhooks, evidence, announcements)))
    told = {"bodies": gone.bodies, "documents": gone.documents, "webhooks": also.bodies, "parcels": also.parcels}
    return _told(told | {"announcements": also.announcements}, as_json)


def exported(kept: Kept, prefix: str) -> int:
    """Everything, as lines of JSON."""
    for line in kept.archive.export(kept.space + prefix):
        sys.stdout.write(line + "\n")
    for line in events_exported(kept.store.events, kept.space + prefix):
        sys.stdout.write(line + "\n")
    return OK


def forgotten(kept: Kept, keys: Sequence[str], *, as_json: bool) -> int:
    """Erasure; keys that are still open are named, and the exit code says so."""
    gone = kept.archive.forget([kept.space + key for key in keys])
    still_open = [key.removeprefix(kept.space) for key in gone.open]
    also = kept.store.events.forget_parcels([kept.space + key for key in keys])
    told = {"rows": gone.rows, "events": also.events, "webhooks": also.bodies}
    _told(told | {"still_open": still_open}, as_json)
    return SOME_LEFT if still_open else OK


def restored(kept: Kept, age_s: float, *, sure: bool, as_json: bool) -> int:
    """Look first, from now on."""
    settings = kept.config.settings
    if not sure:
        sys.stderr.write("every key that may have moved since will be in doubt until it was looked up; --yes does it\n")
        return SOME_LEFT
    moved = kept.store.restored(age_s, settings.send_window_s + settings.settle_s)
    return _told({"in_doubt": moved}, as_json)


def _told(data: dict[str, Any], as_json: bool) -> int:
    if as_json:
        sys.stdout.write(json.dumps(data) + "\n")
    else:
        for name, value in data.items():
            plain = ", ".join(f"{key} {count}" for key, count in value.items()) if isinstance(value, dict) else value
            plain = ", ".join(plain) if isinstance(plain, list) else plain
            sys.stdout.write(f"{name.replace('_', ' ')}: {plain if plain != '' else 'none'}\n")
    return OK
