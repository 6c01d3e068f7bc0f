"""What a durable store does with rows that have ended: their bodies go, the keys stay."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

import attrs

from ..codec.erasing import erased
from ..ports import Forgotten, Purged
from .audit import step_of
from .dialect import Home, Session
from .rows import BODIES, HEAD, STEP, STRAY, entry_of
from .sql_rows import Begun, Rows
from .tries import done

__all__ = ["SqlArchive"]

# A booking whose papers nobody fetches any more has ended without them.
_BOOKED: Final = "{row}.phase = 'succeeded' AND ({row}.complete OR {row}.next_at IS NULL)"
_LEFT: Final = f"""SELECT 1 FROM shipkit_ledger AS p
  WHERE p.parent_key = {{row}}.key AND p.parent_generation = {{row}}.generation
  AND NOT ({_BOOKED.format(row="p")})
  AND NOT EXISTS (SELECT 1 FROM shipkit_ledger AS n WHERE n.key = p.key AND n.generation > p.generation)"""
# Ended: nothing is due, no late booking is looked for, no further booking waits for somebody. A parent has ended with
# its pieces, and a piece with its parent. What was refused has ended too: whoever tries again brings the request along.
_ENDED: Final = f"""(({_BOOKED.format(row="l")}) OR l.phase IN ('rejected', 'voided', 'closed')
  OR (l.phase = 'planned' AND NOT l.void_wanted AND NOT EXISTS ({_LEFT.format(row="l")})))
  AND NOT EXISTS (SELECT 1 FROM shipkit_ledger AS w
    WHERE w.key = l.parent_key AND w.generation = l.parent_generation AND w.phase = 'planned'
      AND (w.void_wanted OR EXISTS ({_LEFT.format(row="w")})))
  AND (l.next_at IS NULL OR l.watch_until IS NULL OR l.watch_until <= {{now}})
  AND NOT EXISTS (SELECT 1 FROM shipkit_stray AS s
    WHERE s.key = l.key AND s.generation = l.generation AND s.phase = 'open')"""
# Since then nothing has happened to it, nor to what it is a piece of.
_RESTS: Final = """l.updated_at < :before AND NOT EXISTS (SELECT 1 FROM shipkit_ledger AS b
    WHERE b.parent_key = l.parent_key AND b.parent_generation = l.parent_generation AND b.updated_at >= :before)
  AND NOT EXISTS (SELECT 1 FROM shipkit_ledger AS b
    WHERE b.parent_key = l.key AND b.parent_generation = l.generation AND b.updated_at >= :before)"""
_BODIES: Final = f"""SELECT l.key, l.generation FROM shipkit_ledger AS l
WHERE l.purged_at IS NULL AND {_RESTS} AND {_ENDED} ORDER BY l.key, l.generation LIMIT 500"""
_DOCUMENTS: Final = f"""SELECT l.key, l.generation FROM shipkit_ledger AS l
WHERE {_RESTS} AND {_ENDED} AND EXISTS (SELECT 1 FROM shipkit_document AS d
  WHERE d.key = l.key AND d.generation = l.generation) ORDER BY l.key, l.generation LIMIT 500"""
_IS_ENDED: Final = f"""SELECT 1 FROM shipkit_ledger AS l
WHERE l.key = :key AND l.generation = :generation AND {_ENDED}"""
_IS: Final = "key = :key AND generation = :generation"
_BLANK: Final = f"""UPDATE shipkit_ledger SET purged_at = :at, request = :request, result = :result,
  void_result = :void_result, next_at = NULL WHERE {_IS}"""
_BLANK_STRAY: Final = f"UPDATE shipkit_stray SET result = :result WHERE {_IS} AND booking = :booking"
_DROP: Final = f"DELETE FROM shipkit_document WHERE {_IS}"
_OF_KEY: Final = f"""SELECT {", ".join(f"l.{name}" for name in (*HEAD, *BODIES))} FROM shipkit_ledger AS l
WHERE l.key = :key OR l.parent_key = :key ORDER BY l.key, l.generation"""
_PAGE: Final = f"""SELECT {", ".join(f"l.{name}" for name in (*HEAD, *BODIES))} FROM shipkit_ledger AS l
WHERE l.key > :after AND l.key >= :prefix AND l.key < :beyond ORDER BY l.key, l.generation LIMIT 100"""
_STRAYS: Final = f"SELECT {', '.join(STRAY)} FROM shipkit_stray WHERE {_IS} ORDER BY created_at, booking"
_BLOBS: Final = f"SELECT stray, content FROM shipkit_document WHERE {_IS} ORDER BY stray, position"
_STEPS: Final = f"SELECT {', '.join(STEP)} FROM shipkit_step WHERE key = :key ORDER BY number"


class SqlArchive:
    """The methods of `shipkit.ports.Archive`."""

    home: Home
    _rows: Rows

    def purge(self, bodies_before: datetime, documents_before: datetime) -> Purged:
        """Take the bodies of rows away that rest since *bodies_before*, and the bytes of documents later."""
        bodies = self._each(_BODIES, bodies_before, self._purge_bodies)
        return Purged(bodies=bodies, documents=self._each(_DOCUMENTS, documents_before, self._purge_documents))

    def forget(self, keys: Sequence[str]) -> Forgotten:
        """Blank what is personal under *keys* and their pieces, and take their documents away."""
        rows, still_open = 0, []
        for key in dict.fromkeys(keys):
            with self.home.reading() as session:
                found = self._rows.ask(session, _OF_KEY, {"key": key})
            for row in found:
                if done(self.home, self._forgetting(row[0], row[1])):
                    rows += 1
                else:
                    still_open.append(str(row[0]))
        return Forgotten(rows=rows, open=tuple(dict.fromkeys(still_open)))

    def export(self, prefix: str = "") -> Iterator[str]:
        """Everything under keys that begin with *prefix*, personal data and documents included, as lines of JSON."""
        values = {"prefix": prefix, "beyond": prefix + "\U0010ffff", "after": ""}
        while True:
            with self.home.reading() as session:
                page = self._rows.ask(session, _PAGE, values)
                # A page ends between keys, so that the next one can begin behind the last of them.
                whole = [row for row in page if len(page) < 100 or row[0] != page[-1][0]] or page
                after = [row[0] for row in whole[1:]] + [None]
                lines = [line for row, key in zip(whole, after, strict=True) for line in self._lines(session, row, key)]
            yield from lines
            if len(page) < 100:
                return
            values["after"] = whole[-1][0]

    def _each(self, statement: str, before: datetime, take: Callable[..., bool]) -> int:
        taken = 0
        while True:
            with self.home.reading() as session:
                found = self._rows.ask(session, statement, {"before": self._rows.dialect.time_in(before)})
            now_taken = sum(done(self.home, partial(take, key=key, generation=generation)) for key, generation in found)
            taken += now_taken
            if not now_taken:
                return taken

    def _purge_bodies(self, session: Session, key: str, generation: int) -> bool:
        begun = self._ended(session, key, generation)
        if begun is None:
            return False
        name = {"key": key, "generation": generation}
        strays = self._rows.ask(session, _STRAYS, name)
        at = self._rows.dialect.time_in(begun.at)
        self._rows.tell(session, _BLANK, {**name, "at": at, **dict.fromkeys(BODIES, b"")})
        for stray in strays:
            self._rows.tell(session, _BLANK_STRAY, {**name, "booking": stray[2], "result": b""})
        self._note(session, begun, "bodies")
        return True

    def _purge_documents(self, session: Session, key: str, generation: int) -> bool:
        begun = self._ended(session, key, generation)
        if begun is None:
            return False
        name = {"key": key, "generation": generation}
        row = self._rows.ask(session, _OF_KEY, {"key": key})
        bodies = next(each[len(HEAD) :] for each in row if tuple(each[:2]) == (key, generation))
        if begun.row is not None and begun.row.purged_at is None and bytes(bodies[1]):
            return False  # its answer says where the bytes belong, and goes first
        self._rows.tell(session, _DROP, name)
        self._note(session, begun, "documents")
        return True

    def _forgetting(self, key: str, generation: int) -> Callable[[Session], bool]:
        name = {"key": key, "generation": generation}

        def forget(session: Session) -> bool:
            begun = self._ended(session, key, generation)
            if begun is None:
                return False
            found = self._rows.ask(session, _OF_KEY, {"key": key})
            request, result, void = next(each[len(HEAD) :] for each in found if tuple(each[:2]) == (key, generation))
            blobs = self._rows.ask(session, _BLOBS, name)
            bodies = {
                "request": erased(bytes(request)),
                "result": erased(bytes(result), [bytes(blob) for stray, blob in blobs if not stray]),
                "void_result": erased(bytes(void)),
            }
            for stray in self._rows.ask(session, _STRAYS, name):
                text = erased(bytes(stray[4]), [bytes(blob) for owner, blob in blobs if owner == stray[2]])
                self._rows.tell(session, _BLANK_STRAY, {**name, "booking": stray[2], "result": text})
            self._rows.tell(session, _BLANK, {**name, "at": self._rows.dialect.time_in(begun.at), **bodies})
            self._rows.tell(session, _DROP, name)
            self._note(session, begun, "forgotten")
            return True

        return forget

    def _ended(self, session: Session, key: str, generation: int) -> Begun | None:
        begun = self._rows.begin(session, key, generation)
        ended = self._rows.ask(session, _IS_ENDED, {"key": key, "generation": generation})
        return begun if begun.row is not None and ended else None

    def _note(self, session: Session, begun: Begun, detail: str) -> None:
        if begun.row is not None:
            row = attrs.evolve(begun.row, updated_at=begun.at)
            self._rows.step(session, begun, step_of("purge", row, row, begun.number + 1, detail=detail))

    def _lines(self, session: Session, row: Any, next_key: str | None) -> Iterator[str]:
        head, bodies = row[: len(HEAD)], row[len(HEAD) :]
        entry = entry_of(self._rows.dialect, head)
        name = {"key": entry.key, "generation": entry.generation}
        blobs = self._rows.ask(session, _BLOBS, name)
        told = {field: _plain(getattr(entry, field)) for field in HEAD if not field.startswith("parent_")}
        texts = {field: _json(bytes(body)) for field, body in zip(BODIES, bodies, strict=True)}
        yield _line("entry", told | {"parent": entry.parent} | texts | {"documents": _documents(blobs, "")})
        for stray in self._rows.ask(session, _STRAYS, name):
            values = dict(zip(STRAY, stray, strict=True)) | {"result": _json(bytes(stray[4]))}
            yield _line("stray", values | {"documents": _documents(blobs, stray[2])})
        if next_key != entry.key:
            for step in self._rows.ask(session, _STEPS, {"key": entry.key}):
                members = dict(zip(STEP, step, strict=True))
                yield _line("step", members | {"at": self._rows.dialect.time_out(members["at"]).isoformat()})


def _line(kind: str, members: dict[str, Any]) -> str:
    return json.dumps({"kind": kind, **members}, ensure_ascii=False)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else getattr(value, "value", value)


def _json(text: bytes) -> Any:
    return json.loads(text) if text else None


def _documents(blobs: Sequence[Any], stray: str) -> list[str]:
    return [base64.b64encode(bytes(blob)).decode("ascii") for owner, blob in blobs if owner == stray]
