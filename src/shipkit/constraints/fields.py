"""What a carrier's facts demand of single fields: lengths, counts, characters, and what is required on which lane."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import attrs

from shipkit.model.messages import Message, NoticeCode, NoticeLevel, ProblemCode

from .conditions import Conditions
from .wrapping import rewrapped

if TYPE_CHECKING:
    from shipkit.model import Address, CarrierFacts, FieldRule

    from .found import Found

__all__ = ["Fields"]

_ON_THE_LANE: Final = frozenset({"lane", "destination", "origin"})
_ABSENT: Final[Any] = object()  # this kind of request has no such field


@attrs.define(eq=False, repr=False)
class _Node:
    """One step of a path: what is demanded here, of each item, and of the fields below."""

    rules: list[_Rule] = attrs.Factory(list)
    wraps: list[_Rule] = attrs.Factory(list)
    each: _Node | None = None
    below: dict[str, _Node] = attrs.Factory(dict)
    steps: tuple[tuple[str, _Node, int], ...] = ()
    """The fields below, and the length up to which a text there breaks no rule, where length is all that counts."""
    demands: bool = False
    """Something here or below may be required, so it is looked at when it is not there, too."""
    adapts: bool = False
    """Something here or below may be put otherwise."""
    printed: tuple[int, ...] = ()
    """How many characters of a text here are printed."""
    prints: tuple[tuple[str, _Node], ...] = ()
    """The fields below of which, or of what they hold, the carrier prints less than it takes."""
    scripts: bool = False
    """An address of which the carrier prints some characters only."""
    width: int = -1
    fine: Callable[[str], bool] | None = None
    """Where only texts are spoken of: whether one breaks no rule, its length or any other."""


@attrs.frozen(eq=False, repr=False)
class _Rule:
    """One rule of the facts, ready to be applied."""

    rule: FieldRule
    matches: Callable[[str], Any] | None
    on_the_lane: bool

    @classmethod
    def of(cls, rule: FieldRule) -> _Rule:
        matches = re.compile(rule.pattern).fullmatch if rule.pattern else None
        return cls(rule, matches, any(p.subject in _ON_THE_LANE for p in rule.required_when))


class Fields:
    """The field rules of one carrier as a tree, walked once per request."""

    def __init__(self, facts: CarrierFacts) -> None:
        self._name = facts.name
        self._root = _Node()
        for rule in facts.field_rules:
            self._plant(rule)
        _settle(self._root)

    def _plant(self, rule: FieldRule) -> None:
        node, steps = self._root, rule.path.strip("/").split("/")
        if rule.on_overflow == "wrap" and steps[-1] == "*":
            steps.pop()  # it is the text as a whole that is wrapped
        for step in steps:
            if step == "*":
                node.each = node.each or _Node()
                node = node.each
            else:
                node = node.below.setdefault(step, _Node())
        kind = node.wraps if rule.on_overflow == "wrap" else node.rules
        kind.append(_Rule.of(rule))

    def check(self, found: Found, request: Any, at: str) -> None:
        """Add what of *request* breaks a rule; what `adapted` puts right breaks none."""
        self._walk(found, self._root, request, at, Conditions(request))

    def _walk(self, found: Found, node: _Node, value: Any, at: str, conditions: Conditions) -> None:
        if node.scripts and value.localized:
            value = _printable(value, node)
        for rule in node.rules:
            self._apply(found, rule, value, at, conditions)
        for rule in node.wraps:
            self._lines(found, rule, value, at)
        if node.each is not None and value:
            for index, item in enumerate(value):
                self._walk(found, node.each, item, f"{at}/{index}", conditions)
        for name, child, width in node.steps:
            below = getattr(value, name, _ABSENT)
            if not below:
                if below is None and child.demands:
                    self._demand(found, child, f"{at}/{name}", conditions)
                elif child.demands:
                    self._walk(found, child, below, f"{at}/{name}", conditions)
            elif below.__class__ is str and (len(below) <= width or (child.fine is not None and child.fine(below))):
                continue
            elif below is not _ABSENT:
                self._walk(found, child, below, f"{at}/{name}", conditions)

    def _demand(self, found: Found, node: _Node, at: str, conditions: Conditions) -> None:
        """What is required of something that is not there at all."""
        for rule in node.rules:
            self._apply(found, rule, None, at, conditions)
        for name, child, _ in node.steps:
            if child.demands:
                self._demand(found, child, f"{at}/{name}", conditions)

    def _apply(self, found: Found, rule: _Rule, value: Any, at: str, conditions: Conditions) -> None:
        given = rule.rule
        if value is None or value == "" or value == ():
            if given.required_when and conditions.all_hold(given.required_when):
                code = ProblemCode.LANE_REQUIRES if rule.on_the_lane else ProblemCode.MISSING
                found.add(at, code, f"{self._name} requires it{conditions.because(given.required_when)}")
            return
        if isinstance(value, str):
            self._text(found, rule, value, at)
        elif given.max_count is not None and len(value) > given.max_count:
            text = f"has {len(value)}, {self._name} takes at most {given.max_count}"
            found.add(at, ProblemCode.TOO_MANY, text, str(given.max_count))

    def _text(self, found: Found, rule: _Rule, text: str, at: str) -> None:
        given, name = rule.rule, self._name
        if given.max_length is not None and len(text) > given.max_length:
            said = f"has {len(text)} characters, {name} takes at most {given.max_length}"
            found.add(at, ProblemCode.TOO_LONG, said, str(given.max_length))
        if given.charset is not None and not _prints(text, given.charset):
            said = f"holds characters that {name} cannot print ({given.charset} only)"
            found.add(at, ProblemCode.BAD_CHARACTERS, said, given.charset)
        if rule.matches is not None and not rule.matches(text):
            found.add(at, ProblemCode.MALFORMED, f"{name} takes only what matches {given.pattern}", given.pattern)

    def _lines(self, found: Found, rule: _Rule, lines: Any, at: str) -> None:
        given, name = rule.rule, self._name
        if not lines or None in lines or _fits(lines, given):
            wrapped = lines
        else:
            wrapped = rewrapped(lines, given.max_length or 10_000, given.max_count or len(lines))
        if wrapped is None:
            width, count = given.max_length, given.max_count
            said = f"does not go into {count or 'the given'} lines of {width or 'any number of'} characters ({name})"
            too_many = width is None or all(len(line) <= width for line in lines)
            code = ProblemCode.TOO_MANY if too_many else ProblemCode.TOO_LONG
            found.add(at, code, said, f"{count or ''} x {width or ''}".strip())
        if given.charset is None and rule.matches is None:
            return
        for index, line in enumerate(lines or ()):
            if line is not None and given.charset is not None and not _prints(line, given.charset):
                said = f"holds characters that {name} cannot print ({given.charset} only)"
                found.add(f"{at}/{index}", ProblemCode.BAD_CHARACTERS, said, given.charset)
            if line is not None and rule.matches is not None and not rule.matches(line):
                said = f"{name} takes only what matches {given.pattern}"
                found.add(f"{at}/{index}", ProblemCode.MALFORMED, said, given.pattern)

    # What the carrier prints shorter

    def notices(self, request: Any, at: str) -> list[Message]:
        """A warning for each text of which the carrier prints less than it takes."""
        found: list[Message] = []
        self._shortened(found, self._root, request, at)
        return found

    def _shortened(self, found: list[Message], node: _Node, value: Any, at: str) -> None:
        if value.__class__ is str:
            for most in node.printed:
                if len(value) > most:
                    said = f"{self._name} takes its {len(value)} characters and prints {most} of them"
                    code, level = NoticeCode.PRINTED_SHORTENED, NoticeLevel.WARNING
                    found.append(Message(level=level, code=code, text=said, path=at))
        elif value.__class__ is tuple:
            for index, item in enumerate(value):
                self._shortened(found, node, item, f"{at}/{index}")  # a rule for wrapping speaks of all lines
                if node.each is not None:
                    self._shortened(found, node.each, item, f"{at}/{index}")
        else:
            for name, child in node.prints:
                below = getattr(value, name, None)
                if below is not None:
                    self._shortened(found, child, below, f"{at}/{name}")

    # What can be put otherwise without a loss

    def adapted(self, request: Any) -> Any:
        """*request* with lines wrapped, and with an address in the script that the carrier can print."""
        return self._adapt(self._root, request) if self._root.adapts else request

    def _adapt(self, node: _Node, value: Any) -> Any:
        if isinstance(value, tuple):
            for rule in node.wraps:
                if None not in value and not _fits(value, rule.rule):
                    value = rewrapped(value, rule.rule.max_length or 10_000, rule.rule.max_count or len(value)) or value
            if node.each is not None:
                items = tuple(self._adapt(node.each, item) for item in value)
                if any(new is not old for new, old in zip(items, value, strict=True)):
                    value = items
            return value
        changed = {}
        if node.scripts and value.localized:
            value = _printable(value, node)
        for name, child, _ in node.steps:
            below = getattr(value, name, None) if child.adapts else None
            if below is not None and not isinstance(below, str):
                new = self._adapt(child, below)
                if new is not below:
                    changed[name] = new
        return attrs.evolve(value, **changed) if changed else value


def _settle(node: _Node) -> None:
    children = [*node.below.values(), *([node.each] if node.each is not None else [])]
    for child in children:
        _settle(child)
    _join_counts(node)
    node.steps = tuple((name, child, child.width) for name, child in node.below.items())
    node.demands = any(rule.rule.required_when for rule in node.rules) or any(
        child.demands for child in node.below.values()
    )
    node.scripts = "lines" in node.below and any(_charsets(child) for child in node.below.values())
    node.printed = tuple(r.rule.printed for r in (*node.rules, *node.wraps) if r.rule.printed is not None)
    node.prints = tuple((name, child) for name, child in node.below.items() if _is_shortened(child))
    node.adapts = bool(node.wraps) or node.scripts or any(child.adapts for child in children)
    if not children and not node.wraps:
        node.width, node.fine = _all_fine(node.rules)


def _join_counts(node: _Node) -> None:
    """Where lines are wrapped, how many there may be is what they are wrapped into, whichever rule says it."""
    counts = [r.rule.max_count for r in (*node.rules, *node.wraps) if r.rule.max_count is not None]
    if not node.wraps or not counts:
        return
    most = min(counts)
    node.wraps = [attrs.evolve(r, rule=attrs.evolve(r.rule, max_count=most)) for r in node.wraps]
    node.rules = [attrs.evolve(r, rule=attrs.evolve(r.rule, max_count=None)) for r in node.rules]


def _is_shortened(node: _Node) -> bool:
    return bool(node.printed or node.prints) or (node.each is not None and _is_shortened(node.each))


def _all_fine(rules: list[_Rule]) -> tuple[int, Callable[[str], bool] | None]:
    width = min((rule.rule.max_length for rule in rules if rule.rule.max_length is not None), default=None)
    charsets = [rule.rule.charset for rule in rules if rule.rule.charset is not None]
    matches = [rule.matches for rule in rules if rule.matches is not None]
    if width is not None and not charsets and not matches:
        return width, None

    def fine(text: str) -> bool:
        if not text or (width is not None and len(text) > width):
            return False
        if charsets and not text.isascii() and not all(_prints(text, charset) for charset in charsets):
            return False
        return not matches or all(match(text) for match in matches)

    return -1, fine


def _fits(lines: Any, rule: FieldRule) -> bool:
    width, count = rule.max_length, rule.max_count
    if count is not None and len(lines) > count:
        return False
    if width is not None:
        for line in lines:
            if len(line) > width:
                return False
    return True


def _prints(text: str, charset: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def _printable(address: Address, node: _Node) -> Address:
    """The address in another of its scripts, where the carrier cannot print the one it stands in."""
    demands = [rule for child in node.below.values() for rule in _charsets(child)]
    if not address.localized or not demands or _address_prints(address, demands):
        return address
    for script, text in address.localized.items():
        other = attrs.evolve(
            address,
            lines=text.lines,
            city=text.city or address.city,
            region=text.region or address.region,
            dependent_locality=text.dependent_locality or address.dependent_locality,
            script=script,
        )
        if _address_prints(other, demands):
            return other
    return address


def _charsets(node: _Node) -> list[str]:
    inner = _charsets(node.each) if node.each is not None else []
    return [rule.rule.charset for rule in (*node.rules, *node.wraps) if rule.rule.charset] + inner


def _address_prints(address: Address, charsets: list[str]) -> bool:
    texts = [*(address.lines or ()), address.city, address.region, address.dependent_locality]
    return all(_prints(text, charset) for text in texts if text for charset in charsets)
