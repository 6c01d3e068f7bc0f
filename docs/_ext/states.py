"""The ledger's state table as drawings, one for each kind of event; only where the boxes stand is drawn by hand."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from shipkit.ledger import TABLE, Transition
from shipkit.ports import Phase

#: Each event stands in exactly one drawing.
DRAWINGS = {
    "claiming": ("claim",),
    "sending": ("not_sent", "doubt", "take_over", "refuse", "resend"),
    "looking": ("absent", "needs_person"),
    "booking": ("book",),
    "cancelling": ("want_void", "voided", "keep"),
    "giving up": ("close", "instead"),
    "pieces": ("plan", "undo", "end_parent"),
    "after a restore": ("restored",),
}
#: Column and row of each phase; None is a key that nobody has used.
PLACES: dict[Phase | None, tuple[int, int]] = {
    None: (0, 0),
    Phase.NEW: (0, 1),
    Phase.IN_FLIGHT: (1, 0),
    Phase.SUCCEEDED: (2, 0),
    Phase.REJECTED: (0, 2),
    Phase.IN_DOUBT: (1, 1),
    Phase.VOIDING: (2, 1),
    Phase.ABSENT: (0, 3),
    Phase.NEEDS_PERSON: (1, 3),
    Phase.VOIDED: (2, 2),
    Phase.PLANNED: (1, 2),
    Phase.CLOSED: (2, 3),
}
WIDTH, HEIGHT = 118, 34
STEP_X, STEP_Y = 260, 110
MARGIN_X, MARGIN_Y = 90, 40
STYLE = (
    "text{font:12px sans-serif;fill:#334}"
    ".box{fill:#eef2f8;stroke:#567;rx:6}.rest{fill:#e8f4ea}.open{fill:#fdf3e0}"
    ".name{font-weight:600;text-anchor:middle}.event{text-anchor:middle;paint-order:stroke;stroke:#fff;stroke-width:4px}"
    "path{fill:none;stroke:#678}.wish{stroke-dasharray:4 3}"
)
_OPEN = (Phase.IN_FLIGHT, Phase.IN_DOUBT, Phase.VOIDING, Phase.PLANNED)


def drawing(name: str) -> str:
    """The SVG of one kind of event: solid lines, and dashed ones that want a wish to void."""
    rows = [row for row in TABLE if row.event in DRAWINGS[name]]
    shown = {row.phase for row in rows} | {row.then for row in rows}
    lines = [_line(before, then, group) for (before, then), group in _grouped(rows).items()]
    top = STEP_Y * min(PLACES[phase][1] for phase in shown)
    right = MARGIN_X + STEP_X * max(PLACES[phase][0] for phase in shown) + MARGIN_X
    down = MARGIN_Y + STEP_Y * max(PLACES[phase][1] for phase in shown) + MARGIN_Y
    marker = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8" style="fill:#678;stroke:none"/></marker></defs>'
    )
    boxes = "".join(_box(phase) for phase in PLACES if phase in shown)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 {top} {right} {down - top}" width="{right}" role="img">'
        f"<title>{escape(name)}</title><style>{STYLE}</style>{marker}{''.join(lines)}{boxes}</svg>\n"
    )


def table() -> str:
    """Every row of the state table, in words."""
    lines = ["| phase | event | then | if |", "| --- | --- | --- | --- |"]
    for row in TABLE:
        before = f"`{row.phase.value}`" if row.phase is not None else "no row"
        lines.append(f"| {before} | {row.event} | `{row.then.value}` | {row.guard} |")
    return "\n".join(lines) + "\n"


def _grouped(rows: Iterable[Transition]) -> dict[tuple[Phase | None, Phase], list[Transition]]:
    groups: dict[tuple[Phase | None, Phase], list[Transition]] = {}
    for row in rows:
        groups.setdefault((row.phase, row.then), []).append(row)
    return groups


def _centre(phase: Phase | None) -> tuple[float, float]:
    column, row = PLACES[phase]
    return MARGIN_X + column * STEP_X, MARGIN_Y + row * STEP_Y


def _box(phase: Phase | None) -> str:
    x, y = _centre(phase)
    kind = "box open" if phase in _OPEN else "box rest" if phase is not None else "box"
    name = phase.value if phase is not None else "no row"
    return (
        f'<rect class="{kind}" x="{x - WIDTH / 2}" y="{y - HEIGHT / 2}" width="{WIDTH}" height="{HEIGHT}"/>'
        f'<text class="name" x="{x}" y="{y + 4}">{name}</text>'
    )


def _line(before: Phase | None, then: Phase, rows: list[Transition]) -> str:
    words = ", ".join(dict.fromkeys(row.event for row in rows))
    wish = all("void wanted" in row.guard and "no void wanted" not in row.guard for row in rows)
    (x, y), (to_x, to_y) = _centre(before), _centre(then)
    if before is then:
        y += HEIGHT / 2
        path, at = f"M{x - 10} {y}C{x - 30} {y + 26} {x + 30} {y + 26} {x + 10} {y}", (x, y + 32)
        return _drawn(path, at, words, wish=wish)
    # Bent to the left of its direction, so that there and back are two lines.
    length = ((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5
    bend = 16 + 0.1 * max(0.0, length - STEP_X)
    out_x, out_y = (to_y - y) / length * bend, -(to_x - x) / length * bend
    middle = ((x + to_x) / 2 + out_x, (y + to_y) / 2 + out_y)
    start, end = _edge((x, y), middle), _edge((to_x, to_y), middle)
    control = (2 * middle[0] - (start[0] + end[0]) / 2, 2 * middle[1] - (start[1] + end[1]) / 2)
    path = f"M{start[0]:.0f} {start[1]:.0f}Q{control[0]:.0f} {control[1]:.0f} {end[0]:.0f} {end[1]:.0f}"
    # Nearer to where it begins: lines meet in the middle.
    at = tuple(0.36 * a + 0.48 * c + 0.16 * b for a, c, b in zip(start, control, end, strict=True))
    return _drawn(path, (at[0], at[1] + 4), words, wish=wish)


def _edge(centre: tuple[float, float], towards: tuple[float, float]) -> tuple[float, float]:
    """Where the line from *centre* leaves its box."""
    across, down = towards[0] - centre[0], towards[1] - centre[1]
    part = min(
        (WIDTH / 2 + 3) / abs(across) if across else float("inf"),
        (HEIGHT / 2 + 3) / abs(down) if down else float("inf"),
    )
    return centre[0] + across * part, centre[1] + down * part


def _drawn(path: str, at: tuple[float, float], words: str, *, wish: bool) -> str:
    return (
        f'<path{" class=" + chr(34) + "wish" + chr(34) if wish else ""} d="{path}" marker-end="url(#tip)"/>'
        f'<text class="event" x="{at[0]:.0f}" y="{at[1]:.0f}">{escape(words)}</text>'
    )
