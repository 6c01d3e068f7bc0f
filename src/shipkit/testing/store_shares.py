"""Checks of a store: access tokens, and places within rate limits."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from shipkit.flow import Token

from .store_values import World

__all__ = ["ShareChecks"]


class ShareChecks:
    """What workers share besides the ledger. It may be lost with the machine."""

    def test_a_token_is_given_out_until_shortly_before_its_end(self, world: World) -> None:
        """One that lives shorter than the margin is given out for half its life."""
        tokens = world.empty().tokens
        assert tokens.get("a", 60) is None
        long, short = _token(world, 3600), _token(world, 60)
        tokens.put("a", "w1", long)
        tokens.put("b", "w1", short)
        tokens.put("c", "w1", Token(value="for ever"))
        assert (tokens.get("a", 120), tokens.get("b", 120)) == (long, short)
        world.clock.at += 31
        assert (tokens.get("a", 120), tokens.get("b", 120)) == (long, None)
        world.clock.at += 3600 - 31 - 119
        assert (tokens.get("a", 120), tokens.get("c", 120)) == (None, Token(value="for ever"))

    def test_one_worker_fetches_a_token_and_its_claim_ends(self, world: World) -> None:
        """With the token, with its release, and with its lease at the latest."""
        tokens = world.empty().tokens
        assert tokens.claim("a", "w1", 30) and not tokens.claim("a", "w2", 30)
        assert tokens.claim("a", "w1", 30) and tokens.claim("b", "w2", 30)
        tokens.release("a", "w2")
        assert not tokens.claim("a", "w2", 30), "a claim is released by its owner"
        tokens.release("a", "w1")
        assert tokens.claim("a", "w2", 30)
        world.clock.at += 30
        assert tokens.claim("a", "w3", 30)
        tokens.put("a", "w3", Token(value="secret"))
        assert tokens.claim("a", "w4", 30)

    def test_exactly_the_token_that_is_named_is_forgotten_and_once(self, world: World) -> None:
        """Forty callers with a revoked token cause a single refresh."""
        tokens = world.empty().tokens
        old, new = _token(world, 3600), Token(value="new", refresh_token="next")
        tokens.put("a", "w1", old)
        assert tokens.drop("a", old) and not tokens.drop("a", old) and tokens.get("a", 60) is None
        tokens.put("a", "w1", new)
        assert not tokens.drop("a", old) and tokens.get("a", 60) == new

    def test_places_come_at_the_pace_of_the_limit_after_a_burst(self, world: World) -> None:
        """So many may run ahead; from then on one place each step, in order."""
        limits = world.empty().limits
        assert [limits.reserve("x", 1, 4, 0) for _ in range(6)] == [0, 0, 0, 0, 0, 1]
        assert [limits.reserve("x", 1, 4, 9) for _ in range(3)] == [1, 2, 3], "what waits has its place"
        assert limits.reserve("y", 1, 4, 0) == 0, "every name has places of its own"
        world.clock.at += 4
        assert [limits.reserve("x", 1, 4, 0) for _ in range(2)] == [0, 1]

    def test_a_place_that_comes_too_late_is_not_taken(self, world: World) -> None:
        """Who does not wait leaves it to others."""
        limits = world.empty().limits
        assert [limits.reserve("x", 10, 0, 0) for _ in range(4)] == [0, 10, 10, 10]
        assert [limits.reserve("x", 10, 0, 10), limits.reserve("x", 10, 0, 10)] == [10, 20]

    def test_a_carrier_that_says_wait_is_waited_for_and_no_shorter(self, world: World) -> None:
        """A hold is never shortened."""
        limits = world.empty().limits
        limits.hold("x", 60)
        limits.hold("x", 5)
        assert limits.reserve("x", 1, 0, 0) == 60
        world.clock.at += 60
        assert limits.reserve("x", 1, 0, 0) == 0


def _token(world: World, life_s: float) -> Token:
    ends_at = datetime.fromtimestamp(world.clock.at, timezone.utc) + timedelta(seconds=life_s)
    return Token(value=f"secret-{life_s}", expires_at=ends_at)
