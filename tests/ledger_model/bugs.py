"""The bugs that the search has to find, as data: what is wrong, where it is planted, which properties it may break.

The numbers are those of the table of seeded bugs in the background of the ledger; where a row names two, both are here.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from shipkit.model import RecoveryMode
from tests.ledger_model.planting import Patch
from tests.ledger_model.world import Action, Left, Setup

__all__ = ["BUGS", "Bug"]

_UNIQUE, _NATIVE = RecoveryMode.UNIQUE_REFERENCE, RecoveryMode.NATIVE_KEY

_CREATE_TWICE = Setup(name="find", window=0, sweep=False, left=Left(create=2, crash=0, lose=1))


@attrs.frozen(kw_only=True)
class Bug:
    """One seeded bug: its patches, the configuration that shows it, and how far to look."""

    number: str
    what: str
    patches: tuple[Patch, ...]
    breaks: frozenset[str]
    setup: Setup = _CREATE_TWICE
    prefix: Sequence[Action] = ()
    preemptions: int = 1


def _bug(number: str, what: str, breaks: str, *patches: Patch, **more: object) -> Bug:
    return Bug(number=number, what=what, patches=patches, breaks=frozenset(breaks.split()), **more)  # type: ignore[arg-type]


def _setup(**changes: object) -> Setup:
    return attrs.evolve(_CREATE_TWICE, **changes)  # type: ignore[arg-type]


_RULES = "shipkit.store.rules"
_SENDING = "shipkit.ledger.sending"
_RECOVERY = "shipkit.ledger.recovery"

_MEMORY = "shipkit.store.memory"

# A purchase that missed its window: claimed, and nothing left.
_NOT_SENT: tuple[Action, ...] = (("create", 0), *(("step", 0),) * 3, ("tick", 1), *(("step", 0),) * 3)
# One whose request never arrives, until nothing can come of it any more.
_DROPPED_AND_SETTLED: tuple[Action, ...] = (
    ("create", 0), *(("step", 0),) * 4, ("lose", 0), ("drop", 0), ("step", 0), ("tick", 1), ("tick", 1),
)  # fmt: skip

BUGS: tuple[Bug, ...] = (
    _bug(
        "1",
        "absent believed at once",
        "P0 P4",
        Patch(f"{_RULES}:absent", "row.settle_at is not None and row.settle_at <= asked_at", "True"),
    ),
    _bug(
        "2",
        "window not checked",
        "P0 P4",
        Patch(
            "shipkit.policy.exchange:exchanging",
            "not_after=context.not_after if purchase else None",
            "not_after=None",
        ),
        setup=_setup(left=Left(create=2, crash=0, lose=0)),
        preemptions=2,
    ),
    _bug(
        "3",
        "clock started after the claim's commit",
        "P0 P4",
        Patch(
            f"{_SENDING}:_Sending.send",
            """
    opened_at = yield from now()
    self.entry = yield from self.take()
""",
            """
    self.entry = yield from self.take()
    opened_at = yield from now()
""",
        ),
        setup=_setup(left=Left(create=2, crash=0, lose=0)),
        preemptions=2,
    ),
    _bug(
        "4",
        "settle compared when the answer of find arrives",
        "P0 P4",
        Patch(
            f"{_RECOVERY}:_recovered",
            """
    asked_at = yield from call(ledger.now)
    try:
        hits = yield from found(intent, stack, entry, _identities(intent, stack, entry))
""",
            """
    try:
        hits = yield from found(intent, stack, entry, _identities(intent, stack, entry))
        asked_at = yield from call(ledger.now)
""",
        ),
    ),
    _bug(
        "5",
        "find error taken as absent",
        "P0 P4",
        Patch(
            f"{_RECOVERY}:_recovered",
            "    except ShipkitError as error:\n        raise doubt_of(entry, mode) from error\n",
            "    except ShipkitError as error:\n        hits = []\n",
        ),
        setup=_setup(left=Left(create=2, crash=0, lose=2)),
    ),
    _bug(
        "6a",
        "absent not guarded by attempt",
        "P0 P4",
        Patch(f"{_RULES}:absent", "or not settled or not _same_send(row, entry)", "or not settled"),
        setup=_setup(attempts=3, left=Left(create=2, crash=0, lose=2)),
        prefix=_DROPPED_AND_SETTLED,
        preemptions=2,
    ),
    _bug(
        "6b",
        "absent not guarded by send",
        "P0 P4",
        Patch(
            f"{_RULES}:absent",
            """
    settled = row.settle_at is not None and row.settle_at <= asked_at
    if row.phase is not Phase.IN_DOUBT or not settled or not _same_send(row, entry):
""",
            """
    settled = entry.settle_at is not None and entry.settle_at <= asked_at
    if row.phase is not Phase.IN_DOUBT or not settled or row.attempt != entry.attempt:
""",
        ),
        setup=_setup(mode=_UNIQUE, left=Left(create=2, crash=0, lose=2)),
        prefix=_DROPPED_AND_SETTLED,
    ),
    _bug(
        "7",
        "dead lease: sent anew",
        "P0 P4",
        Patch(f"{_RULES}:taken_over", "_moved(row, at, Phase.IN_DOUBT)", "_moved(row, at, Phase.ABSENT)"),
        setup=_setup(left=Left(create=2, crash=0, lose=0)),
    ),
    _bug(
        "8",
        "retry after a lost answer",
        "P0 P4",
        Patch(
            "shipkit.policy.retry:_repeatable",
            "return request.replayable or isinstance(error, (NotSentError, RateLimitedError))",
            "return True",
        ),
        setup=_setup(retries=1, window=1, left=Left(create=1, crash=0, lose=1)),
    ),
    _bug(
        "9",
        "time-out or 5xx recorded as refused",
        "P0 P4",
        Patch(
            f"{_SENDING}:_Sending._settle",
            "elif isinstance(error, RejectedError) and self._listed(error):",
            "elif isinstance(error, (RejectedError, OutcomeUnknownError, UnavailableError)):",
        ),
    ),
    _bug(
        "9b",
        "5xx recorded as refused",
        "P0 P4",
        Patch(
            f"{_SENDING}:_Sending._settle",
            "elif isinstance(error, RejectedError) and self._listed(error):",
            "elif isinstance(error, (RejectedError, UnavailableError)):",
        ),
        setup=_setup(left=Left(create=2, crash=0, lose=0, breaks=1)),
    ),
    _bug(
        "10",
        "lost connection recorded as not sent",
        "P0 P4",
        Patch(
            f"{_SENDING}:_Sending._settle",
            "if not self.stack.context.purchase_left:",
            "if not self.stack.context.purchase_left or isinstance(error, OutcomeUnknownError):",
        ),
    ),
    _bug(
        "11",
        "claim by select, then write",
        "P0 P1 P4",
        Patch(
            f"{_RULES}:claimable",
            "if row is None or row.generation != claim.generation:",
            "return True\n    if not row:",
        ),
        setup=_setup(left=Left(create=2, crash=0, lose=0)),
    ),
    _bug(
        "12",
        "commit after send",
        "P0 P1 P2 P4",
        Patch(
            f"{_SENDING}:_Sending.send",
            """
    self.entry = yield from self.take()
    if self.entry is None:
        raise MovedError("the row moved")
    context.not_after = opened_at + context.settings.send_window_s
    try:
        response = yield from self.stack.send(request)
""",
            """
    context.not_after = opened_at + context.settings.send_window_s
    try:
        response = yield from self.stack.send(request)
        self.entry = yield from self.take()
        if self.entry is None:
            raise MovedError("the row moved")
""",
        ),
        setup=_setup(left=Left(create=2, crash=1, lose=0)),
    ),
    _bug(
        "13",
        "label in a second transaction",
        "P2 P5",
        Patch(
            f"{_SENDING}:recorded",
            """
    phase, stopped = yield from written
""",
            """
    bare, stopped = attrs.evolve(whole, documents=()), None
    phase = yield from call(ledger.book, entry, booking, bare, False, watch)
    row = yield from call(ledger.read, entry.key)
    yield from call(ledger.fill, row, whole, True)
""",
        ),
        setup=_setup(left=Left(create=1, crash=1, lose=0)),
    ),
    _bug(
        "14",
        "returned before the commit",
        "P5 P6",
        Patch(
            f"{_SENDING}:_Sending.succeeded",
            "yield from recorded(intent, self.ledger, self.stack, entry, whole, watch=watch)",
            """return attrs.evolve(
        entry, phase=Phase.SUCCEEDED, booking=intent.booking_of(whole), result=whole, complete=True
    )""",
        ),
        setup=_setup(left=Left(create=1, crash=0, lose=0)),
    ),
    _bug(
        "15",
        "late answer fenced off",
        "P6",
        Patch(
            f"{_SENDING}:_Sending.succeeded",
            "    yield from recorded(",
            """
    standing = yield from call(self.ledger.read, intent.key)
    if standing is None or standing.phase is not Phase.IN_FLIGHT or standing.owner != entry.owner:
        raise MovedError("fenced off")
    yield from recorded(""",
        ),
        setup=_setup(mode=RecoveryMode.NONE, left=Left(create=2, crash=0, lose=0)),
        preemptions=2,
    ),
    _bug(
        "16",
        "last booking overwrites the first",
        "P5",
        Patch(
            f"{_RULES}:booked",
            'or row.phase is Phase.PLANNED or row.booking not in ("", booking):',
            "or row.phase is Phase.PLANNED:",
        ),
        setup=_setup(
            delay=None, hidden=None, left=Left(create=2, crash=0, lose=0), fails=frozenset({"P0", "P1", "P2", "P4"})
        ),
        preemptions=2,
    ),
    _bug(
        "17",
        "settle one tick short",
        "P0 P4",
        Patch(
            "shipkit.ledger.intent:settle_s",
            "max(settings.settle_s, recovery.settle_s)",
            "max(settings.settle_s, recovery.settle_s) - 1",
        ),
    ),
    _bug(
        "18",
        "duplicate reference recorded as refused",
        "P0 P4",
        Patch(f"{_SENDING}:_Sending._listed", "        return False", "        return True"),
        setup=_setup(mode=_UNIQUE, left=Left(create=2, crash=0, lose=1)),
        preemptions=2,
    ),
    _bug(
        "19a",
        "not sent, ignoring other sends",
        "P0 P1 P2 P4",
        Patch(
            f"{_RULES}:not_sent",
            "Phase.IN_DOUBT if row.send > 1 else _unless_wanted(row, Phase.NEW)",
            "_unless_wanted(row, Phase.NEW)",
        ),
        setup=_setup(mode=_NATIVE, left=Left(create=1, cancel=1, crash=0, lose=1)),
    ),
    _bug(
        "19b",
        "refused, ignoring other sends",
        "P0 P2 P4",
        Patch(
            f"{_RULES}:refused",
            "_unless_wanted(row, Phase.REJECTED) if row.sole else Phase.IN_DOUBT",
            "_unless_wanted(row, Phase.REJECTED)",
        ),
        setup=_setup(mode=_NATIVE, left=Left(create=2, crash=0, lose=1, refuse=1)),
    ),
    _bug(
        "20",
        "native key after its life",
        "P0 P4",
        Patch(f"{_RULES}:resent", "if again.key_ttl_s is not None:", "if False:"),
        setup=_setup(mode=_NATIVE, key_ttl=4, left=Left(create=2, crash=0, lose=1)),
    ),
    _bug(
        "21",
        "cancel: unknown means done, too early",
        "P1",
        Patch(f"{_RULES}:voided", "row.settle_at is None or row.settle_at <= asked_at", "True"),
        setup=_setup(hidden=1, settle=3, left=Left(create=1, cancel=1, crash=0, lose=0)),
    ),
    _bug(
        "22",
        "cancel in flight means nothing to do",
        "P1 P2",
        Patch(
            f"{_RULES}:wanted_void",
            "Phase.VOIDED if row.phase in CLAIMABLE else row.phase",
            "Phase.VOIDED if row.phase in (*CLAIMABLE, Phase.IN_FLIGHT) else row.phase",
        ),
        setup=_setup(left=Left(create=1, cancel=1, crash=0, lose=1)),
    ),
    _bug(
        "23a",
        "ship anew under the old reference",
        "P2 P5",
        Patch("shipkit.ledger.identity:base_of", "{key}\\0{generation}", "{key}\\0{1}"),
        setup=_setup(mode=_NATIVE, left=Left(create=2, cancel=1, crash=0, lose=0)),
    ),
    _bug(
        "23b",
        "old evidence in the new generation",
        "P2 P5",
        Patch(f"{_MEMORY}:MemoryStore.book", "self._found(entry) or self.read(entry.key)", "self.read(entry.key)"),
        Patch(f"{_RULES}:row_for_evidence", "row if row.generation == entry.generation else None", "row"),
        setup=_setup(left=Left(create=2, cancel=1, crash=0, lose=0)),
        preemptions=2,
    ),
    _bug(
        "24",
        "identity burnt by not sent, commit lost",
        "P0 P4",
        Patch(
            f"{_RULES}:claimable",
            "row.attempt + (row.phase is not Phase.NEW) != claim.attempt",
            "row.attempt + 1 != claim.attempt",
        ),
        Patch(
            "shipkit.ledger.booking:_attempted", "entry.attempt + (entry.phase is not Phase.NEW)", "entry.attempt + 1"
        ),
        # What looks first after a restore would find it.
        Patch(f"{_RULES}:restored", 'LOST_AT_REST.get(row.phase, row.error or "restored")', '"restored"'),
        setup=_setup(mode=_NATIVE, sends=5, left=Left(create=2, crash=1, lose=0, failover=1)),
        prefix=_NOT_SENT,
    ),
    _bug(
        "25a",
        "pieces: going on while one is in doubt",
        "P4",
        Patch(f"{_MEMORY}:MemoryStore._may_begin", "any(row.phase in rules.BESIDE for row in beside)", "False"),
        Patch(
            "shipkit.ledger.pieces:_Whole._looked_at",
            "if piece.phase in (Phase.IN_FLIGHT, Phase.IN_DOUBT):",
            "if False:",
        ),
        Patch(
            "shipkit.ledger.pieces:_Whole._completed",
            "if piece.phase is Phase.SUCCEEDED and piece.complete:",
            "if piece.phase in (Phase.SUCCEEDED, Phase.IN_DOUBT):",
        ),
        setup=_setup(pieces=2, left=Left(create=2, crash=0, lose=1)),
    ),
    _bug(
        "25b",
        "pieces: undo leaves open pieces alone",
        "P1 P3 P4",
        Patch(
            f"{_MEMORY}:MemoryStore._undo_pieces",
            'self._event("want_void", piece, rules.wanted_void)',
            "piece.phase is Phase.SUCCEEDED and self._event('want_void', piece, rules.wanted_void)",
        ),
        setup=_setup(pieces=2, left=Left(create=1, cancel=1, crash=0, lose=1)),
    ),
)
