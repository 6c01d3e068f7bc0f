"""Looks for what may be wrong."""

from __future__ import annotations

import json as jsons
import sys

from .arguments import AsJson, ConfigFile

__all__ = ["doctor"]


def doctor(*, config: ConfigFile = None, json: AsJson = False) -> int:
    """Look for what may be wrong: versions, plugins, configuration, store, other people's files in our package."""
    from ..health import FAILED, examined

    findings = examined(config)
    if json:
        rows = [{"what": each.what, "state": each.state, "text": each.text, **each.data} for each in findings]
        sys.stdout.write(jsons.dumps(rows, ensure_ascii=False, indent=2) + "\n")
    else:
        width = max(len(each.what) for each in findings)
        for each in findings:
            first, *more = each.text.split("\n")
            sys.stdout.write(f"{each.state:7}  {each.what.ljust(width)}  {first}\n")
            sys.stdout.writelines(f"{'':7}  {'':{width}}  {line}\n" for line in more)
    return 1 if any(each.state == FAILED for each in findings) else 0
