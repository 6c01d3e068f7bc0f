"""Text that does not fit: wrapped where the carrier allows it, never cut, and said where it is printed shorter."""

from __future__ import annotations

import attrs
from hypothesis import given
from hypothesis import strategies as st

from shipkit import model as m
from shipkit.constraints import notices, problems, wrapped
from shipkit.constraints.wrapping import rewrapped
from shipkit.testing import broken, shipment_requests
from tests.constraints.facts import ACME, party, shipment

LINES = st.lists(st.text("abc é", min_size=1, max_size=60).filter(str.strip), min_size=1, max_size=4)


def words(lines: object) -> list[str]:
    return " ".join(lines).split()  # type: ignore[arg-type]


@given(LINES, st.integers(3, 40), st.integers(1, 4))
def test_no_word_is_lost_cut_or_moved(lines: list[str], width: int, count: int) -> None:
    made = rewrapped(lines, width, count)

    if made is not None:
        assert words(made) == words(lines)
        assert len(made) <= count
        assert all(len(line) <= width for line in made)


@given(LINES, st.integers(3, 40), st.integers(1, 4))
def test_lines_that_fit_stay_as_they_are(lines: list[str], width: int, count: int) -> None:
    if len(lines) <= count and all(len(line) <= width for line in lines):
        assert rewrapped(lines, width, count) == tuple(lines)


@given(LINES, st.integers(3, 40), st.integers(1, 4))
def test_what_cannot_be_wrapped_does_not_fit_at_all(lines: list[str], width: int, count: int) -> None:
    if rewrapped(lines, width, count) is None:
        longest = max(len(word) for word in words(lines))
        assert longest > width or _least_lines(words(lines), width) > count


def _least_lines(all_words: list[str], width: int) -> int:
    count, line = 1, 0
    for word in all_words:
        line += len(word) + (1 if line else 0)
        if line > width:
            count, line = count + 1, len(word)
    return count


def test_a_long_line_goes_on_in_the_next_one() -> None:
    request = shipment(ship_to=party(lines=("Appartement 12, escalier B, 27 rue Henri Rolland", "Batiment B")))
    adapted = wrapped(request, ACME)

    assert problems(request, ACME) == ()
    assert adapted.ship_to.address is not None
    assert adapted.ship_to.address.lines == ("Appartement 12, escalier B, 27 rue", "Henri Rolland", "Batiment B")
    assert attrs.evolve(adapted, ship_to=request.ship_to) == request


def test_too_many_lines_flow_together() -> None:
    request = shipment(ship_to=party(lines=("Bat. B", "Escalier 2", "27 rue Henri Rolland", "BP 12")))
    adapted = wrapped(request, ACME)

    assert problems(request, ACME) == ()
    assert adapted.ship_to.address is not None
    assert adapted.ship_to.address.lines == ("Bat. B Escalier 2 27 rue Henri", "Rolland BP 12")


def test_lines_are_wrapped_into_as_many_as_another_rule_allows() -> None:
    lines = "/ship_to/address/lines"
    rules = (
        m.FieldRule(path=lines, max_count=3),
        m.FieldRule(path=f"{lines}/*", max_length=35, on_overflow=m.OnOverflow.WRAP),
    )
    facts = attrs.evolve(ACME, field_rules=rules)

    def found(*texts: str) -> tuple[list[tuple[str, str, str | None]], tuple[str, ...]]:
        request = shipment(ship_to=party(lines=texts))
        address = wrapped(request, facts).ship_to.address
        assert address is not None
        return [(p.path, str(p.code), p.limit) for p in problems(request, facts)], address.lines

    assert found("350 Fifth Avenue in the middle of New York City", "Floor 2") == (
        [],
        ("350 Fifth Avenue in the middle of", "New York City", "Floor 2"),
    )
    assert found("Bat. B", "Escalier 2", "27 rue Rolland", "BP 12")[0] == []
    assert found("x" * 30, "y" * 30, "z" * 30, "end of it")[0] == [(lines, "too_many", "3 x 35")]
    assert found("350 Fifth Avenue in the middle of", "y" * 30, "z" * 34, "350 Fifth Avenue in the middle of New")[
        0
    ] == [(lines, "too_long", "3 x 35")]


def test_a_word_that_is_longer_than_a_line_is_refused_and_left_alone() -> None:
    request = shipment(ship_to=party(lines=("x" * 40,)))

    assert [problem.path for problem in problems(request, ACME)] == ["/ship_to/address/lines"]
    assert wrapped(request, ACME) is request


@given(shipment_requests(ACME))
def test_a_request_that_is_wrapped_once_stays_so(request: m.ShipmentRequest) -> None:
    adapted = wrapped(request, ACME)

    assert wrapped(adapted, ACME) is adapted
    assert problems(adapted, ACME) == ()


@given(broken(ACME, shipment_requests(ACME)))
def test_wrapping_raises_nothing_and_makes_nothing_wrong(case: object) -> None:
    request: m.ShipmentRequest = case.request  # type: ignore[attr-defined]

    assert {p.path for p in problems(wrapped(request, ACME), ACME)} <= {p.path for p in problems(request, ACME)}


def test_the_booking_inside_a_return_is_wrapped() -> None:
    long = shipment(ship_to=party(lines=("Appartement 12, escalier B, 27 rue Henri Rolland",)))
    request = m.ReturnRequest(shipment=long, kind=m.ReturnLabelKind.PRINTED)
    adapted = wrapped(request, ACME)

    assert adapted.shipment == wrapped(long, ACME)
    assert wrapped(adapted, ACME) is adapted


def test_an_address_that_cannot_be_printed_gives_way_to_the_same_in_another_script() -> None:
    latin = m.AddressText(lines=("1-1 Chiyoda",), city="Tokyo")
    both = party(lines=("千代田 1-1",), city="東京", country="JP", postal_code="1000001")
    assert both.address is not None
    address = attrs.evolve(both.address, script="Jpan", localized={"Latn": latin})
    facts = attrs.evolve(ACME, field_rules=tuple(rule for rule in ACME.field_rules if "customs" not in rule.path))
    request = shipment(ship_to=attrs.evolve(both, address=address))
    adapted = wrapped(request, facts).ship_to.address

    assert problems(request, facts) == ()
    assert adapted is not None
    assert (adapted.lines, adapted.city, adapted.script) == (("1-1 Chiyoda",), "Tokyo", "Latn")
    unprintable = shipment(ship_to=attrs.evolve(both, address=attrs.evolve(address, localized={})))
    assert [problem.path for problem in problems(unprintable, facts)] == [
        "/ship_to/address/city",
        "/ship_to/address/lines/0",
    ]


# What is printed shorter


def test_what_is_printed_shorter_than_it_is_taken_is_said() -> None:
    request = shipment(ship_to=party(name="x" * 31, lines=("y" * 26, "short")))
    said = notices(request, ACME)

    assert [(notice.path, notice.code, notice.level) for notice in said] == [
        ("/ship_to/contact/name", m.NoticeCode.PRINTED_SHORTENED, m.NoticeLevel.WARNING),
        ("/ship_to/address/lines/0", m.NoticeCode.PRINTED_SHORTENED, m.NoticeLevel.WARNING),
    ]
    assert "xxx" not in repr(said)
    assert problems(request, ACME) == ()


def test_what_is_printed_whole_is_not_spoken_of() -> None:
    assert notices(shipment(), ACME) == ()
    assert notices(shipment(ship_to=party(name="x" * 30, lines=("y" * 25,))), ACME) == ()


def test_the_lines_that_are_spoken_of_are_the_wrapped_ones() -> None:
    request = shipment(ship_to=party(lines=("Appartement 12, escalier B, 27 rue Henri Rolland",)))

    assert [notice.path for notice in notices(request, ACME)] == ["/ship_to/address/lines/0"]
