"""Whether the state is the true one: simulated journeys through `advanced`, beside the rules that others use.

``python -m tests.events.truth --write`` runs 10,000 and keeps the table in ``docs/campaigns/events.md``.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import attrs

from shipkit.model import Milestone, TrackingEvent
from tests.events.telling import Desk
from tests.events.worlds import World, simulated

__all__ = ["RULES", "Score", "main", "scored"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "campaigns" / "events.md"


def last_arrival(events: list[TrackingEvent]) -> Milestone:
    """The event that came in last; one that says nothing of the place counts as in transit."""
    return events[-1].milestone or Milestone.IN_TRANSIT


def newest_event(events: list[TrackingEvent]) -> Milestone:
    """The event with the newest time as printed; one that says nothing of the place counts as in transit."""
    return max(events, key=_printed).milestone or Milestone.IN_TRANSIT


def newest_mapped_event(events: list[TrackingEvent]) -> Milestone:
    """The newest event of those that say where the parcel is."""
    mapped = [event for event in events if event.milestone is not None]
    return max(mapped, key=_printed).milestone or Milestone.UNKNOWN if mapped else Milestone.UNKNOWN


def highest_rank(events: list[TrackingEvent]) -> Milestone:
    """The furthest milestone that any event tells of."""
    return max((event.milestone or Milestone.UNKNOWN for event in events), key=lambda milestone: milestone.rank)


def _printed(event: TrackingEvent) -> str:
    return event.time.local.isoformat()


RULES = {
    "last arrival": last_arrival,
    "newest event": newest_event,
    "newest event with a place": newest_mapped_event,
    "highest rank": highest_rank,
}


@attrs.define
class Score:
    """What came of a campaign."""

    journeys: int = 0
    events: int = 0
    told: int = 0
    announced: int = 0
    corrected: int = 0
    ends: Counter[str] = attrs.field(factory=Counter)
    wrong: dict[str, Counter[str]] = attrs.field(factory=dict)
    """By rule and by end."""
    misses: list[World] = attrs.field(factory=list)
    """The journeys that shipkit gets wrong."""


def judged(world: World, score: Score) -> None:
    """One journey, batch by batch."""
    desk = Desk(world.parcel)
    for batch in world.batches:
        desk.tell(*batch)
        desk.consumer.agrees(desk.parcel)
    arrivals = world.arrivals()
    score.journeys += 1
    score.events += len(desk.evidence)
    score.told += len(arrivals)
    score.announced += len(desk.consumer.keys)
    score.corrected += sum(kind == "milestone.corrected" for kind, _, _ in desk.consumer.path)
    score.ends[world.end] += 1
    found = {name: rule(arrivals) for name, rule in RULES.items()} | {"shipkit": desk.consumer.milestone}
    for name, milestone in found.items():
        score.wrong.setdefault(name, Counter())[world.end] += milestone is not world.truth
    if found["shipkit"] is not world.truth:
        score.misses.append(world)


def scored(journeys: int, seed: int = 1) -> Score:
    """What comes of so many journeys."""
    score = Score()
    for number in range(journeys):
        judged(simulated(number, seed), score)
    return score


_ABOUT = (
    "Simulated journeys whose true end is known because they were made to end there: second attempts, customs, losses,",
    "refusals, returns, pick-up points, deliveries that were scanned in error, parcels that are still on their way.",
    "Carriers push late, twice, out of order or not at all, print times with an offset, without one or the day only,",
    "and go on scanning after the end. What was not pushed is in a full answer sooner or later; it is told in batches,",
    "pushes and answers mixed. Each cell is the number of parcels that a rule leaves at a place where they are not.",
)


def page(score: Score, seed: int) -> str:
    """The table as a page of the docs."""
    names = [*RULES, "shipkit"]
    lines = [
        "# A campaign against the state of parcels",
        "",
        f"Written by `python -m tests.events.truth --journeys {score.journeys} --seed {seed} --write`.",
        "",
        *_ABOUT,
        "",
        (
            f"{score.journeys:,} journeys, {score.events:,} events, told {score.told:,} times; {score.announced:,}"
            f" announcements, of these {score.corrected:,} corrections. After every batch the announcements, played in"
            " order, were the projected state, and no key came twice."
        ),
        "",
        f"| how it ends | journeys | {' | '.join(names)} |",
        f"| --- | ---: | {' | '.join('---:' for _ in names)} |",
    ]
    for end, count in sorted(score.ends.items()):
        lines.append(
            f"| {end.replace('_', ' ')} | {count} | {' | '.join(str(score.wrong[name][end]) for name in names)} |"
        )
    totals = [sum(score.wrong[name].values()) for name in names]
    lines.append(f"| all | {score.journeys} | {' | '.join(str(total) for total in totals)} |")
    shares = [f"{100 * total / score.journeys:.1f} %" for total in totals]
    lines.append(f"| share | | {' | '.join(shares)} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; ends with 1 where a parcel is not where the projection says."""
    reads = argparse.ArgumentParser(prog="python -m tests.events.truth", description=__doc__)
    reads.add_argument("--journeys", type=int, default=10_000)
    reads.add_argument("--seed", type=int, default=1)
    reads.add_argument("--write", action="store_true", help="keep the table in docs/campaigns/events.md")
    options = reads.parse_args(arguments)
    score = scored(options.journeys, options.seed)
    text = page(score, options.seed)
    print(text)
    for world in score.misses[:20]:
        print("wrong:", world.number, world.end, world.style, "truly", world.truth)
    if options.write:
        PAGE.write_text(text)
    return 1 if score.misses else 0


if __name__ == "__main__":
    sys.exit(main())
