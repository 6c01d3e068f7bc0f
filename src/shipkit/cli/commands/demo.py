"""The demo."""

from __future__ import annotations

import json as jsons
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from .arguments import AsJson

__all__ = ["demo"]


def demo(
    *,
    fault: Annotated[
        str | None,
        Parameter(help="Let every second purchase meet it, such as drop_after_commit; any other name lists all."),
    ] = None,
    out: Annotated[Path | None, Parameter(help="The folder for the labels; else a new one.")] = None,
    json: AsJson = False,
) -> int:
    """The main job, with every carrier simulated on this machine; nothing is bought, no credential is needed.

    It quotes one order, ships twenty, cancels some, lets the parcels move, takes pushes out of order and twice, polls
    where nothing is pushed, and counts: what the carriers booked, what was asked for, which labels are here. With a
    fault it shows beside that what a client would have booked that simply sends again.
    """
    from ..demo.course import played
    from ..demo.report import lines
    from ..demo.stage import known_fault

    story = played(_folder(out), known_fault(fault))
    if json:
        sys.stdout.write(jsons.dumps(story.data(), ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines(story))
    return 0 if story.sound else 1


def _folder(out: Path | None) -> Path:
    from tempfile import mkdtemp

    if out is None:
        return Path(mkdtemp(prefix="shipkit-demo-"))
    out.mkdir(parents=True, exist_ok=True)
    return out
