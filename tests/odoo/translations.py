"""``i18n/delivery_shipkit.pot``, by Odoo's own export: ``python -m tests.odoo.translations`` writes it.

With ``--check`` it says whether the file has every term of the addon, and no other.
"""

from __future__ import annotations

import base64
import re
import sys
from pathlib import Path
from typing import Final

from .stand import Stand

__all__ = ["main"]

FILE: Final = Path(__file__).parents[2] / "examples/odoo/delivery_shipkit/i18n/delivery_shipkit.pot"
SOURCE: Final = """
module = env["ir.module.module"].search([("name", "=", "delivery_shipkit")])
wizard = env["base.language.export"].create({"lang": "__new__", "format": "po", "modules": [(6, 0, module.ids)]})
wizard.act_getfile()
print("POT " + "".join(wizard.data.decode().split()))
"""
# When it was written is no difference worth a commit.
DATES: Final = re.compile(r'^"(POT-Creation|PO-Revision)-Date: .*\n', re.MULTILINE)


def main() -> int:
    """Export from a database that has the addon; write it, or hold it against what is there."""
    checked = "--check" in sys.argv[1:]
    with Stand.or_skipped() as stand, stand.database() as database:
        done = stand.script(database, SOURCE)
    lines = [line.removeprefix("POT ") for line in done.stdout.splitlines() if line.startswith("POT ")]
    if not lines:
        print(done.stderr[-4000:], file=sys.stderr)
        return 1
    text = DATES.sub("", base64.b64decode(lines[-1]).decode())
    if not checked:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(text, encoding="utf-8")
    there = terms(FILE.read_text(encoding="utf-8")) if FILE.exists() else set()
    wrong = terms(text) ^ there
    for term in sorted(wrong):
        print(f"{'missing' if term not in there else 'no more in the addon'}: {term}")
    print(f"{FILE.name}: {len(there)} terms, {len(wrong)} stale" + ("; run it without --check" if wrong else ""))
    return 1 if wrong else 0


def terms(text: str) -> set[str]:
    """The terms of a template, as they stand there."""
    return {"".join(re.findall(r'"(.*)"', found)) for found in re.findall(r'^msgid ((?:".*"\n)+)', text, re.MULTILINE)}


if __name__ == "__main__":
    sys.exit(main())
