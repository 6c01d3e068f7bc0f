"""The table of peers: measured, held against the claim, and compared with the page in the docs (or written there)."""

from __future__ import annotations

import difflib
import sys
import time

from tests.benchmarks.environments import ROOT

from .table import BEYOND, COLUMNS, measured, page

PAGE = ROOT / "docs" / "peers.md"


def main() -> int:
    began = time.monotonic()
    found = measured()
    text = page(found)
    print(text)
    wrong = [
        f"{column.title} under {fault}: {cell}"
        for column in COLUMNS
        if column.ours
        for fault, cell in found[column.title].items()
        if cell.happened and (column.title, fault) not in BEYOND and not cell.kept
    ]
    if "--write" in sys.argv[1:]:
        PAGE.write_text(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        kept = PAGE.read_text().splitlines() if PAGE.exists() else []
        changed = difflib.unified_diff(kept, text.splitlines(), n=0, lineterm="")
        wrong += [f"docs/peers.md says otherwise: {line}" for line in changed]
    for line in wrong:
        print(line)
    print(f"after {time.monotonic() - began:.0f} s", "with" if wrong else "and nothing", "wrong")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
