"""Both clients against a simulated Acme over real sockets: one booking per key, whatever the carrier does."""

from __future__ import annotations

import asyncio
import pickle
import threading
from typing import Any

import attrs
import pytest

from shipkit import (
    AsyncClient,
    Client,
    ConflictError,
    InDoubtError,
    InputError,
    LabelPendingError,
    MemoryStore,
    Milestone,
    NotSupportedError,
    RejectedError,
    Settings,
    ShipkitError,
    SqliteStore,
    TrackingNumber,
)
from shipkit.model import CancelOutcome, Problem, ProblemCode, ServicePointQuery
from shipkit.ports import Observation, Phase
from shipkit.simulator import Simulator
from tests.core.acme import Acme, request

SECRETS = ("client-secret", "Jo Receiver", "2 Home Street", "Sender Ltd", "1 Depot Road")


class Later:
    """A store's clock that a test moves on."""

    def __init__(self) -> None:
        import time

        self.offset = 0.0
        self._time = time.time

    def __call__(self) -> float:
        return self._time() + self.offset


def live(sim: Simulator) -> int:
    return len([booking for booking in sim.bookings() if booking.state.value == "live"])


def test_a_shipment_is_booked_once_and_returned_again_with_the_same_bytes(sim: Simulator, client: Client) -> None:
    first = client.create_shipment(request(packages=2), account="acme-de", key="order-1")
    again = client.create_shipment(request(packages=2), account="acme-de", key="order-1")

    assert first == again
    assert [document.content for document in first.documents] == [d.content for d in again.documents]
    assert all(document.content and document.content.startswith(b"%PDF") for document in first.documents)
    assert (first.key, first.generation, first.account, first.carrier) == ("order-1", 1, "acme-de", "acme")
    assert len(sim.bookings()) == 1


COMMITTED = ["drop_after_commit", "500", "503", "truncated", "html_page", "empty_body"]


@pytest.mark.parametrize("fault", COMMITTED)
def test_a_lost_answer_is_looked_up_and_never_bought_again(sim: Simulator, client: Client, fault: str) -> None:
    sim.add_fault(fault, operation="create_shipment", times=1)
    shipment = client.create_shipment(request(), account="acme-de", key="order-1", deadline_s=5)
    assert shipment.documents[0].content
    assert len(sim.bookings()) == 1


@pytest.mark.parametrize("fault", COMMITTED)
def test_asyncio_does_the_same(sim: Simulator, acme: Acme, fault: str) -> None:
    sim.add_fault(fault, operation="create_shipment", times=1)

    async def ship() -> Any:
        async with AsyncClient({"acme-de": acme}) as client:
            return await client.create_shipment(request(), account="acme-de", key="order-1", deadline_s=5)

    assert asyncio.run(ship()).documents[0].content
    assert len(sim.bookings()) == 1


def test_absence_is_believed_only_after_the_settling_time(sim: Simulator, acme: Acme) -> None:
    later = Later()
    with Client({"acme-de": acme}, store=MemoryStore(clock=later)) as client:
        sim.add_fault("drop_before", operation="create_shipment", times=1)
        with pytest.raises(InDoubtError) as caught:
            client.create_shipment(request(), account="acme-de", key="order-1", deadline_s=5)
        assert caught.value.retry_at is not None and not caught.value.needs_person
        with pytest.raises(InDoubtError):
            client.create_shipment(request(), account="acme-de", key="order-1", deadline_s=5)
        assert sim.bookings() == () or len(sim.bookings()) == 0

        later.offset = 2000
        shipment = client.create_shipment(request(), account="acme-de", key="order-1", deadline_s=5)

    assert shipment.shipment_id == sim.bookings()[0].id
    assert len(sim.bookings()) == 1


def test_a_booking_that_shows_late_is_found_and_not_made_twice(sim: Simulator, acme: Acme) -> None:
    with Client({"acme-de": acme}) as client:
        sim.add_fault("find_lags", operation="create_shipment", times=1, lag_s=60)
        sim.add_fault("drop_after_commit", operation="create_shipment", times=1)
        with pytest.raises(InDoubtError):
            client.create_shipment(request(), account="acme-de", key="order-1", deadline_s=5)
        sim.advance(120)
        found = client.recover()

        assert [key for key, _ in found] == ["order-1"]
        assert client.create_shipment(request(), account="acme-de", key="order-1").documents[0].content
    assert len(sim.bookings()) == 1


def test_a_refusal_ends_the_attempt_and_the_next_may_ask_for_something_else(sim: Simulator, client: Client) -> None:
    with pytest.raises(RejectedError) as caught:
        client.create_shipment(request("refuse"), account="acme-de", key="order-1")
    assert caught.value.carrier_code == "A17"
    assert (caught.value.account, caught.value.operation) == ("acme-de", "create_shipment")

    client.create_shipment(request("SO043"), account="acme-de", key="order-1")
    assert [booking.mark[-2:] for booking in sim.bookings()] == ["-2"]


def test_a_refusal_inside_200_is_a_refusal(sim: Simulator, client: Client) -> None:
    sim.add_fault("200_with_error", operation="create_shipment", times=1)
    with pytest.raises(RejectedError):
        client.create_shipment(request(), account="acme-de", key="order-1")
    client.create_shipment(request(), account="acme-de", key="order-1")
    assert len(sim.bookings()) == 1


def test_an_error_that_proves_nothing_is_a_doubt_even_inside_200(sim: Simulator, client: Client) -> None:
    sim.add_fault("200_with_error", operation="create_shipment", times=1, when="after")
    client.create_shipment(request(), account="acme-de", key="order-1")
    assert len(sim.bookings()) == 1


def test_another_order_under_a_used_key_is_a_conflict(sim: Simulator, client: Client) -> None:
    client.create_shipment(request("SO042"), account="acme-de", key="order-1")
    with pytest.raises(ConflictError):
        client.create_shipment(request("SO043"), account="acme-de", key="order-1")
    assert len(sim.bookings()) == 1


def test_cancelling_is_idempotent_and_the_key_can_ship_anew(sim: Simulator, client: Client) -> None:
    first = client.create_shipment(request(), account="acme-de", key="order-1")
    assert client.cancel_shipment(key="order-1").outcome is CancelOutcome.VOIDED
    assert client.cancel_shipment(key="order-1").outcome is CancelOutcome.VOIDED

    second = client.create_shipment(request(), account="acme-de", key="order-1")
    assert (second.generation, second.shipment_id != first.shipment_id) == (2, True)
    assert live(sim) == 1


def test_a_cancellation_that_is_refused_leaves_the_shipment(sim: Simulator, client: Client) -> None:
    first = client.create_shipment(request(), account="acme-de", key="order-1")
    sim.advance(5 * 86400)
    with pytest.raises(RejectedError):
        client.cancel_shipment(key="order-1")
    assert client.create_shipment(request(), account="acme-de", key="order-1") == first


def test_a_wish_to_cancel_a_doubt_is_carried_out_once_it_is_found(sim: Simulator, acme: Acme) -> None:
    with Client({"acme-de": acme}) as client:
        sim.add_fault("find_lags", operation="create_shipment", times=1, lag_s=60)
        sim.add_fault("drop_after_commit", operation="create_shipment", times=1)
        with pytest.raises(InDoubtError):
            client.create_shipment(request(), account="acme-de", key="order-1", deadline_s=5)
        with pytest.raises(InDoubtError):
            client.cancel_shipment(key="order-1")
        with pytest.raises(ConflictError):
            client.create_shipment(request(), account="acme-de", key="order-1")
        sim.advance(120)
        client.recover()
        assert client.cancel_shipment(key="order-1").outcome is CancelOutcome.VOIDED
    assert live(sim) == 0


def test_a_key_that_was_never_used_cannot_be_cancelled(client: Client) -> None:
    with pytest.raises(InputError) as caught:
        client.cancel_shipment(key="order-1")
    assert [problem.path for problem in caught.value.problems] == ["/key"]


def test_what_a_carrier_cannot_do_is_said_with_the_reason(client: Client) -> None:
    with pytest.raises(NotSupportedError):
        client.service_points(ServicePointQuery(country="FR", id="1"), account="acme-de")


@pytest.mark.parametrize("name", ["", "x" * 65, "a\nb"])
def test_a_key_that_no_store_could_keep_is_refused(sim: Simulator, client: Client, name: str) -> None:
    with pytest.raises(InputError):
        client.create_shipment(request(), account="acme-de", key=name)
    assert len(sim.requests()) == 0


def test_every_problem_is_named_before_anything_is_sent(sim: Simulator, client: Client) -> None:
    bad = attrs.evolve(request(), service="NO-SUCH", reference="ü" * 40)
    with pytest.raises(InputError) as caught:
        client.create_shipment(bad, account="acme-de", key="order-1")
    assert {"/service", "/reference"} <= {problem.path for problem in caught.value.problems}
    assert len(sim.requests()) == 0


def test_rates_of_many_accounts_come_with_one_error_for_each_that_failed(sim: Simulator, acme: Acme) -> None:
    wrong = attrs.evolve(acme, client_secret="wrong")
    nowhere = attrs.evolve(acme, base_url="http://127.0.0.1:1/v2")
    accounts = {"good": acme, "wrong": wrong, "nowhere": nowhere}
    with Client(accounts, settings=Settings(attempts=1)) as client:
        answer = client.rates(request(), deadline_s=2)

    assert [quote.account for quote in answer.quotes] == ["good"]
    assert {alias: error.code for alias, error in answer.errors.items()} == {
        "wrong": "authentication",
        "nowhere": "not_sent",
    }


def test_one_bad_number_costs_the_others_nothing(sim: Simulator, client: Client) -> None:
    shipment = client.create_shipment(request(), account="acme-de", key="order-1")
    sim.advance(10 * 86400)
    good = shipment.tracking_numbers[0]
    outcomes = client.track([good, "NOPE", good.value], account="acme-de")

    assert [outcome.index for outcome in outcomes] == [0, 1, 2]
    assert outcomes[0].value is not None and outcomes[0].value.milestone is Milestone.DELIVERED
    assert outcomes[2].value is not None and outcomes[0].value.entries == outcomes[2].value.entries
    assert outcomes[1].error is not None and outcomes[1].value is None


def test_forty_threads_and_forty_tasks_on_a_cold_account_log_in_once(sim: Simulator, acme: Acme) -> None:
    with Client({"acme-de": acme}) as client:
        threads = [threading.Thread(target=client.rates, args=(request(),)) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [r.operation for r in sim.requests()].count("token") == 1

    async def many() -> None:
        async with AsyncClient({"acme-de": acme}) as client:
            await asyncio.gather(*(client.rates(request()) for _ in range(40)))

    asyncio.run(many())
    assert [r.operation for r in sim.requests()].count("token") == 2


def test_twenty_threads_on_one_key_book_once(sim: Simulator, client: Client) -> None:
    results: list[Any] = []

    def ship() -> None:
        try:
            results.append(client.create_shipment(request(), account="acme-de", key="order-1").shipment_id)
        except ShipkitError as error:
            results.append(error.code)

    threads = [threading.Thread(target=ship) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(sim.bookings()) == 1
    assert set(results) <= {sim.bookings()[0].id, "in_progress"}


@pytest.mark.parametrize("after_s", [0.005, 0.02, 0.05, 0.1])
def test_a_cancelled_task_settles_the_ledger_and_the_next_call_finds_the_booking(
    sim: Simulator, acme: Acme, tmp_path: Any, after_s: float
) -> None:
    sim.add_fault("slow", operation="create_shipment", times=1, after_s=0.2)
    later = Later()
    store = SqliteStore(tmp_path / "ledger.db", clock=later)

    async def ship() -> None:
        async with AsyncClient({"acme-de": acme}, store=store) as client:
            await client.rates(request())
            task = asyncio.create_task(client.create_shipment(request(), account="acme-de", key="order-1"))
            await asyncio.sleep(after_s)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.sleep(0.3)
            entry = store.read("order-1")
            assert entry is None or entry.phase in (Phase.IN_DOUBT, Phase.NEW)
            later.offset = 2000  # a request that never arrived is believed lost only now
            shipment = await client.create_shipment(request(), account="acme-de", key="order-1")
            assert shipment.documents[0].content

    asyncio.run(ship())
    store.close()
    assert len(sim.bookings()) == 1


def test_no_secret_and_no_person_is_logged_shown_or_told(
    sim: Simulator, acme: Acme, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Observation] = []
    errors: list[ShipkitError] = []
    caplog.set_level("DEBUG")
    with Client({"acme-de": acme}, observers=[told.append]) as client:
        client.create_shipment(request(), account="acme-de", key="order-1")
        for fault in ("drop_before", "429", "500"):
            sim.add_fault(fault, operation="create_shipment", times=3)
            try:
                client.create_shipment(request(), account="acme-de", key=f"key-{fault}", deadline_s=1)
            except ShipkitError as error:
                errors.append(error)
            sim.reset_faults() if hasattr(sim, "reset_faults") else None

    shown = caplog.text + repr(told) + repr(acme) + "".join(f"{error!r}{error}" for error in errors)
    assert errors
    assert not [secret for secret in SECRETS if secret in shown]


def test_a_carriers_sentence_is_told_without_the_hosts_people(acme: Acme) -> None:
    from shipkit.client.masking import masked

    error = RejectedError(carrier_code="A17", carrier_message="no such house: 2 Home Street, Jo Receiver")
    masked(error, request())
    assert str(error) == "[A17] no such house: ***, ***"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_the_problems_of_a_refusal_are_told_without_the_hosts_people() -> None:
    from shipkit.client.masking import masked

    text = "we do not deliver to Jo Receiver, 2 Home Street"
    problem = Problem(path="/ship_to/address/lines/0", code=ProblemCode.UNKNOWN_VALUE, text=text)
    error = RejectedError(problems=(problem,))
    masked(error, request())
    assert error.problems == (attrs.evolve(problem, text="we do not deliver to ***, ***"),)
    assert "Receiver" not in repr(pickle.loads(pickle.dumps(error)).problems)


def test_an_observer_that_fails_costs_no_label(sim: Simulator, acme: Acme) -> None:
    def broken(event: Observation) -> None:
        raise RuntimeError("observer")

    with Client({"acme-de": acme}, observers=[broken]) as client:
        assert client.create_shipment(request(), account="acme-de", key="order-1").documents


def test_an_account_is_not_pickled_and_its_repr_keeps_its_secret(acme: Acme) -> None:
    assert "client-secret" not in repr(acme)
    with pytest.raises(TypeError):
        pickle.dumps(acme)


def test_both_clients_have_the_same_methods_with_the_same_arguments() -> None:
    import inspect

    def methods(kind: type) -> dict[str, Any]:
        return {
            name: [(p.name, p.kind, p.default) for p in inspect.signature(member).parameters.values()]
            for name, member in inspect.getmembers(kind, callable)
            if not name.startswith("_")
        }

    assert methods(Client) == methods(AsyncClient)


def test_a_label_that_is_still_at_the_carrier_is_pending_and_the_booking_stands(sim: Simulator, acme: Acme) -> None:
    class Late(Acme):
        def create_shipment(self, request: Any) -> Any:
            shipment = yield from Acme.create_shipment(self, request)
            return attrs.evolve(shipment, documents=())

    late = Late(client_id="host", client_secret="client-secret", base_url=acme.base_url)
    with Client({"acme-de": late}) as client:
        with pytest.raises(LabelPendingError) as caught:
            client.create_shipment(request(), account="acme-de", key="order-1")
        assert caught.value.shipment is not None
        assert caught.value.shipment.tracking_numbers == (TrackingNumber(value="AC000000001", carrier="acme"),)
    assert len(sim.bookings()) == 1


def test_an_answer_about_another_count_of_packages_is_a_doubt(sim: Simulator, acme: Acme) -> None:
    class Miscounting(Acme):
        def create_shipment(self, request: Any) -> Any:
            shipment = yield from Acme.create_shipment(self, request)
            return attrs.evolve(shipment, packages=shipment.packages[:1])

    account = Miscounting(client_id="host", client_secret="client-secret", base_url=acme.base_url)
    with Client({"acme-de": account}) as client:
        with pytest.raises(InDoubtError):
            client.create_shipment(request(packages=2), account="acme-de", key="order-1")
        shipment = client.create_shipment(request(packages=2), account="acme-de", key="order-1")
    assert len(shipment.packages) == 2, "the look-up told it whole"
    assert len(sim.bookings()) == 1


def test_a_second_purchase_in_one_flow_is_never_sent(sim: Simulator, acme: Acme) -> None:
    class Twice(Acme):
        def create_shipment(self, request: Any) -> Any:
            yield from Acme.create_shipment(self, request)
            return (yield from Acme.create_shipment(self, request))

    account = Twice(client_id="host", client_secret="client-secret", base_url=acme.base_url)
    with Client({"acme-de": account}) as client:
        client.create_shipment(request(), account="acme-de", key="order-1")
    assert len(sim.bookings()) == 1
    operations = [r.operation for r in sim.requests()]
    assert (operations.count("create_shipment"), operations.count("find_shipments")) == (1, 1)


def test_a_host_observes_through_the_hook_or_a_function(sim: Simulator, acme: Acme) -> None:
    from shipkit.hookspecs import hookimpl

    class Host:
        def __init__(self) -> None:
            self.kinds: list[str] = []

        @hookimpl
        def shipkit_observe(self, event: Observation) -> None:
            self.kinds.append(event.kind)

    host = Host()
    kinds: list[str] = []
    with Client({"acme-de": acme}, observers=[host, lambda event: kinds.append(event.kind)]) as client:
        client.create_shipment(request(), account="acme-de", key="order-1")
        client.create_shipment(request(), account="acme-de", key="order-1")

    assert host.kinds == kinds
    assert kinds.count("booked") == 1, "returned again is not booked again"
    assert kinds.count("token") == 1


def test_a_list_of_numbers_has_one_deadline(sim: Simulator, acme: Acme) -> None:
    import time

    sim.add_fault("slow", operation="track", times=100, after_s=1)
    with Client({"acme-de": acme}, settings=Settings(list_concurrency=1, attempts=1)) as client:
        client.rates(request())
        began = time.monotonic()
        outcomes = client.track([f"AC{n}" for n in range(5)], account="acme-de", deadline_s=0.5)
        took_s = time.monotonic() - began
    assert len(outcomes) == 5 and all(outcome.error is not None for outcome in outcomes)
    assert took_s < 2


def test_what_is_no_request_is_refused_before_anything_is_sent(sim: Simulator, client: Client) -> None:
    for wrong in ({"reference": "SO042"}, None, "SO042"):
        with pytest.raises(InputError):
            client.create_shipment(wrong, account="acme-de", key="order-1", service="HOME")  # type: ignore[arg-type]
        with pytest.raises(InputError):
            client.rates(wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError):
        client.create_shipment(request(), account="acme-de", key=None)  # type: ignore[arg-type]
    assert len(sim.requests()) == 0


def test_one_account_may_be_named_without_a_list(client: Client) -> None:
    assert client.rates(request(), accounts="acme-de").quotes


def test_a_host_never_sees_its_namespace_in_a_key(sim: Simulator, acme: Acme) -> None:
    with Client({"acme-de": acme}, settings=Settings(namespace="db-7")) as client:
        shipment = client.create_shipment(request(), account="acme-de", key="order-1")
        assert shipment.key == "order-1"
        with pytest.raises(ConflictError) as caught:
            client.create_shipment(request("SO043"), account="acme-de", key="order-1")
        assert caught.value.key == "order-1"
        assert client.cancel_shipment(key=shipment.key).outcome is CancelOutcome.VOIDED


def test_a_booking_of_which_only_some_packages_show_is_asked_about_again(sim: Simulator, acme: Acme) -> None:
    class Partial(Acme):
        def find_shipments(self, request: Any) -> Any:
            hits = yield from Acme.find_shipments(self, request)
            return tuple(attrs.evolve(hit, packages=hit.packages[:1]) for hit in hits)

    later = Later()
    store = MemoryStore(clock=later)
    partial = Partial(client_id="host", client_secret="client-secret", base_url=acme.base_url)
    sim.add_fault("drop_after_commit", operation="create_shipment", times=1)
    with Client({"acme-de": partial}, store=store) as client, pytest.raises(InDoubtError) as caught:
        client.create_shipment(request(packages=2), account="acme-de", key="order-1")
    assert not caught.value.needs_person

    with Client({"acme-de": acme}, store=store) as client:
        assert len(client.create_shipment(request(packages=2), account="acme-de", key="order-1").packages) == 2
    assert len(sim.bookings()) == 1


def test_a_key_that_a_person_dealt_with_can_be_used_anew(sim: Simulator, acme: Acme) -> None:
    class Silent(Acme):
        @classmethod
        def facts(cls) -> Any:
            from shipkit.model import RecoveryFacts

            return attrs.evolve(Acme.facts(), recovery=RecoveryFacts())

    later = Later()
    silent = Silent(client_id="host", client_secret="client-secret", base_url=acme.base_url)
    sim.add_fault("drop_before", operation="create_shipment", times=1)
    with Client({"acme-de": silent}, store=MemoryStore(clock=later)) as client:
        with pytest.raises(InDoubtError) as caught:
            client.create_shipment(request(), account="acme-de", key="order-1")
        assert caught.value.needs_person
        with pytest.raises(InDoubtError):
            client.close_key(key="order-1")
        later.offset = 2000
        client.close_key(key="order-1")

        assert client.create_shipment(request(), account="acme-de", key="order-1").generation == 2
        with pytest.raises(ConflictError):
            client.close_key(key="order-1")
    assert len(sim.bookings()) == 1
