"""What waits for a recovery run is counted, with the age of what waits longest."""

from __future__ import annotations

from typing import Any

from tests.store.world import SHIPMENT, Hands, claim


def test_what_waits_is_counted_with_the_age_of_the_oldest(store: Any, clock: Hands) -> None:
    ledger = store.ledger
    assert [(one.queue, one.depth, one.age_s) for one in ledger.backlog()] == [
        ("in_doubt", 0, 0.0),
        ("label_pending", 0, 0.0),
    ]
    for key in ("shop/a", "shop/b", "else/c"):
        ledger.doubt(ledger.claim(claim(key)), "outcome_unknown")
        clock.at += 10
    ledger.book(ledger.claim(claim("shop/d")), "B-1", SHIPMENT, False)
    ledger.book(ledger.claim(claim("shop/e")), "B-2", SHIPMENT, True)
    clock.at += 5

    doubts, labels = ledger.backlog()
    assert (doubts.depth, round(doubts.age_s)) == (3, 35)
    assert (labels.depth, round(labels.age_s)) == (1, 5)
    doubts, labels = ledger.backlog("shop/")
    assert (doubts.depth, labels.depth) == (2, 1)
    doubts, labels = ledger.backlog("else/")
    assert (doubts.depth, round(doubts.age_s), labels.depth) == (1, 15, 0)
