"""Labels and other papers as files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Final

from ...model import Document, DocumentKind

__all__ = ["Papers"]

_LABELS: Final = (DocumentKind.LABEL, DocumentKind.RETURN_LABEL)


class Papers:
    """A folder that papers go to: labels as ``reference-n.ext``, others with their kind, ``reference-cn23-1.pdf``.

    Made when the first one comes; a file of that name is replaced, never half written. Two keys with one reference
    in one run do not overwrite each other: the later one's files are named after its key.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._owners: dict[str, str] = {}
        self._lock = Lock()

    def write(self, reference: str, key: str, documents: Iterable[Document]) -> tuple[Path, ...]:
        """Write what is in hand of *documents*, and say where.

        Raises:
            OSError: the disk will not have it; the papers stay in the ledger.
        """
        stem = self._stem(reference, key)
        counted: Counter[str] = Counter()
        paths = []
        for document in documents:
            if document.content is None:
                continue
            kind = "" if document.kind in _LABELS else f"{document.kind}-"
            counted[kind] += 1
            name = f"{stem}-{kind}{counted[kind]}.{_safe(str(document.format))}"
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / name
            part = path.with_name(f".{name}.part")
            part.write_bytes(document.content)
            part.replace(path)
            paths.append(path)
        return tuple(paths)

    def _stem(self, reference: str, key: str) -> str:
        stem = _safe(reference or key)
        with self._lock:
            return stem if self._owners.setdefault(stem, key) == key else f"{stem}.{_safe(key)}"


def _safe(text: str) -> str:
    """*text* as part of a file's name on any system."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip(".") or "_"
