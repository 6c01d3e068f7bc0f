"""Search every configuration as far as a profile says, and print what was visited: ``python -m tests.ledger_model``."""

from __future__ import annotations

import argparse

from tests.ledger_model.exploring import Found, explore, wander
from tests.ledger_model.setups import BOUNDS, SETUPS, WHOLE, Bound
from tests.ledger_model.world import Setup, World


def main() -> int:
    """Print the table; 1 when a property does not hold somewhere."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=sorted(BOUNDS), default="ci")
    parser.add_argument("--only", default="", help="configurations whose name holds this text")
    options = parser.parse_args()
    print("| configuration | not promised | states | transitions | longest way | all | random walks | result | s |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    near, whole = BOUNDS[options.profile], Bound(None, 10**9, 100)
    chosen = [(setup, near) for setup in SETUPS]
    chosen += [(setup, whole) for setup in WHOLE["ci"] + WHOLE[options.profile] * (options.profile != "ci")]
    results = [row(setup, bound) for setup, bound in chosen if options.only in setup.name]
    return int(not all(results))


def row(setup: Setup, bound: Bound) -> bool:
    """Search one configuration, and print its row."""
    world = World(setup)
    searched = explore(world, preemptions=bound.preemptions, states=bound.states)
    walked = wander(world, seed=1, walks=bound.walks)
    world.tree.close()
    broken = searched.broken or walked.broken
    trace = searched.trace or walked.trace
    print("| " + " | ".join(_cells(setup, searched, walked)) + " |", flush=True)
    if broken is not None:
        print("\n".join(trace))
    return broken is None


def _cells(setup: Setup, searched: Found, walked: Found) -> list[str]:
    return [
        setup.name,
        " ".join(sorted(setup.fails)) or "-",
        f"{searched.states:,}",
        f"{searched.transitions:,}",
        str(max(searched.depth, walked.depth)),
        "yes" if searched.finished else "no",
        f"{walked.states:,}",
        str(searched.broken or walked.broken or "all hold"),
        f"{searched.seconds + walked.seconds:.1f}",
    ]


if __name__ == "__main__":
    raise SystemExit(main())
