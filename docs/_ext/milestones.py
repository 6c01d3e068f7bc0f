"""The transition table of parcels, drawn and written out, and the vocabulary; where the boxes stand is by hand."""

from __future__ import annotations

from html import escape

import states

from shipkit.events import TRANSITIONS, Effect, facts_of
from shipkit.events.transitions import Step
from shipkit.model import Milestone, Reason

M = Milestone
#: Between these a parcel goes from each to each: they are drawn in one frame, and the table is asked whether it is so.
FRAME = (M.IN_TRANSIT, M.OUT_FOR_DELIVERY, M.DELIVERY_ATTEMPTED, M.READY_FOR_PICKUP)
#: Column and row of each box.
PLACES = {
    M.UNKNOWN: (0, 0),
    M.ANNOUNCED: (0, 1),
    M.CANCELLED: (0, 2),
    M.ACCEPTED: (1, 0),
    M.IN_TRANSIT: (1, 1),
    M.OUT_FOR_DELIVERY: (1, 1.5),
    M.DELIVERY_ATTEMPTED: (1, 2),
    M.READY_FOR_PICKUP: (1, 2.5),
    M.DELIVERED: (2, 0),
    M.RETURNING: (2, 1),
    M.RETURNED: (3, 0.5),
    M.LOST: (3, 1.5),
    M.DESTROYED: (3, 2.5),
}
WIDTH, HEIGHT = 140, 30
STEP_X, STEP_Y, MARGIN = 230, 96, 90
STYLE = (
    states.STYLE
    + ".frame{fill:#f7f9fc;stroke:#9ab;stroke-dasharray:2 3;rx:8}.odd{stroke-dasharray:5 4}.note{font-size:10px}"
)
SIGNS = {Effect.MOVE: "→", Effect.STAY: "=", Effect.IGNORE: "·", Effect.REWRITE: "⇒"}


def centre(milestone: Milestone) -> tuple[float, float]:
    column, row = PLACES[milestone]
    return MARGIN + column * STEP_X, 36 + row * STEP_Y


def anywhere(milestone: Milestone) -> bool:
    """Whether a parcel that is here goes wherever a scan says."""
    rows = [
        TRANSITIONS[milestone, event] for event in M if event not in (M.UNKNOWN, M.ANNOUNCED, M.CANCELLED, milestone)
    ]
    return all(step.effect is Effect.MOVE for step in rows)


def drawing() -> str:
    """The SVG: solid lines fit, dashed ones are moves that are noted as an anomaly."""
    for one in FRAME:
        if any(TRANSITIONS[one, other].effect is not Effect.MOVE for other in FRAME if other is not one):
            raise ValueError(f"{one} is in the frame of those that go from each to each, and does not")
    width, height = MARGIN * 2 + 3 * STEP_X, 36 + int(2.5 * STEP_Y) + 50
    x, y = centre(M.IN_TRANSIT)
    _, down = centre(M.READY_FOR_PICKUP)
    frame = (
        f'<rect class="frame" x="{x - WIDTH / 2 - 12}" y="{y - 34}" width="{WIDTH + 24}" height="{down - y + 64}"/>'
        f'<text class="note" x="{x - WIDTH / 2 - 4}" y="{y - 22}">from each to each</text>'
    )
    marker = (
        '<defs><marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8" style="fill:#678;stroke:none"/></marker></defs>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">'
        f"<title>milestones</title><style>{STYLE}</style>{marker}{frame}"
        f"{''.join(lines())}{''.join(map(box, M))}</svg>\n"
    )


def lines() -> list[str]:
    """One line for each move; the frame's are one line where all of its boxes agree."""
    found = []
    nodes: list[Milestone | None] = [None, *(one for one in M if one not in FRAME)]
    for before in nodes:
        for to in nodes:
            if before is to or to is M.UNKNOWN:
                continue
            if before is not None and anywhere(before) and to not in (None, M.CANCELLED):
                continue  # the box says "to any": one line stands for all
            steps = [
                TRANSITIONS[a, b]
                for a in (FRAME if before is None else (before,))
                for b in (FRAME if to is None else (to,))
            ]
            if all(step.effect is Effect.MOVE for step in steps):
                found.append(line(before, to, odd=any(step.anomaly is not None for step in steps)))
    return found


def line(before: Milestone | None, to: Milestone | None, *, odd: bool) -> str:
    start, end = edge(before, to), edge(to, before)
    kind, aside = (' class="odd"', 8) if odd else ("", 0)  # there and back are two lines
    way = f"M{start[0]:.0f} {start[1] + aside:.0f}L{end[0]:.0f} {end[1] + aside:.0f}"
    return f'<path{kind} d="{way}" marker-end="url(#to)"/>'


def edge(here: Milestone | None, there: Milestone | None) -> tuple[float, float]:
    """Where the line from *here* to *there* leaves its box; None is the frame."""
    (x, y), (to_x, to_y) = middle(here), middle(there)
    half_x = WIDTH / 2 + (13 if here is None else 1)
    half_y = (1.5 * STEP_Y + 64) / 2 if here is None else HEIGHT / 2 + 1
    across, down = to_x - x, to_y - y
    part = min(half_x / abs(across) if across else 9e9, half_y / abs(down) if down else 9e9)
    return x + across * part, y + down * part


def middle(node: Milestone | None) -> tuple[float, float]:
    if node is not None:
        return centre(node)
    (x, y), (_, down) = centre(M.IN_TRANSIT), centre(M.READY_FOR_PICKUP)
    return x, (y - 34 + down + 30) / 2


def box(milestone: Milestone) -> str:
    x, y = centre(milestone)
    kind = "box rest" if milestone.terminal else "box open" if milestone is M.RETURNING else "box"
    odd = TRANSITIONS[milestone, M.IN_TRANSIT].anomaly is not None if milestone is not M.UNKNOWN else False
    words = "" if milestone in FRAME or not anywhere(milestone) else "to any, noted" if odd else "to any"
    note = f'<text class="note" x="{x - WIDTH / 2 + 2}" y="{y + 27}">{words}</text>' if words else ""
    return (
        f'<rect class="{kind}" x="{x - WIDTH / 2}" y="{y - HEIGHT / 2}" width="{WIDTH}" height="{HEIGHT}"/>'
        f'<text class="name" x="{x}" y="{y + 4}">{escape(milestone.value)}</text>{note}'
    )


def transitions() -> str:
    """The whole table: a row per state, a column per milestone of an event."""
    events = [event for event in M if event is not M.UNKNOWN]
    head = ["at | event says", *(event.value.replace("_", " ") for event in events)]
    rows = [[f"`{state.value}`", *(cell(TRANSITIONS[state, event]) for event in events)] for state in M]
    return (
        "\n".join(
            [
                f"| {' | '.join(part.replace('|', chr(92) + '|') for part in head)} |",
                "| --- " * len(head) + "|",
                *(f"| {' | '.join(row)} |" for row in rows),
            ]
        )
        + "\n"
    )


def cell(step: Step) -> str:
    sign = SIGNS[step.effect] + (f" {step.milestone.value}" if step.milestone is not None else "")
    return sign if step.anomaly is None else f"{sign} `{step.anomaly.value}`"


def vocabulary() -> str:
    """Every milestone: rank, whether it ends the journey, the part of the way."""
    rows = [
        f"| `{one.value}` | {one.rank} | {'yes' if one.terminal else ''} | {one.phase.replace('_', ' ')} |" for one in M
    ]
    return (
        "\n".join(["| milestone | rank | ends the journey | part of the way |", "| --- | ---: | --- | --- |", *rows])
        + "\n"
    )


def reasons() -> str:
    """Every reason: its kind, how bad it is, whose doing, and who must act."""
    rows = []
    for reason in Reason:
        category, severity, responsible, actor = facts_of(reason)
        rows.append(f"| {category} | `{reason.value}` | {severity.value} | {responsible} | {actor.value} |")
    return (
        "\n".join(
            ["| kind | reason | severity | whose doing | who must act |", "| --- | --- | --- | --- | --- |", *rows]
        )
        + "\n"
    )
