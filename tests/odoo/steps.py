"""The steps of the walk, in order. Each names what a person finds true."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final

import attrs

from shipkit.simulator import Simulator

from .browser import Person

__all__ = ["STEPS", "Walk"]

ACCOUNTS: Final = "delivery_shipkit.action_shipkit_account"
METHODS: Final = "delivery.action_delivery_carrier_form"
ORDERS: Final = "sale.action_quotations_with_onboarding"
TRANSFERS: Final = "stock.action_picking_tree_outgoing"
CREDENTIAL: Final = "demo-credential"
"""What the carrier shows when it pushes."""


@attrs.define
class Walk:
    """Who walks, which carrier is simulated, and what is carried from step to step."""

    person: Person
    simulator: Simulator
    query: Callable[[str], list[list[str]]]
    """Asks Odoo's database; for what a person carries in the head, such as which transfer belongs to which order."""
    price: str = ""
    delivery: str = ""
    number: str = ""

    def comes(self, statement: str, within_s: float = 20) -> None:
        """Wait until *statement* finds something: what a scheduled action does by itself."""
        end = time.monotonic() + within_s
        while not self.query(statement):
            assert time.monotonic() < end, f"nothing comes: {statement}"
            time.sleep(0.2)

    def one(self, statement: str) -> str:
        """The one value of *statement*."""
        ((value,),) = self.query(statement)
        return value


def an_account_asks_for_what_its_carrier_wants_to_know(walk: Walk) -> None:
    person = walk.person
    person.opens(ACCOUNTS, "new")
    person.writes("name", "UPS of the shop")
    person.selects("plugin", "ups")
    person.selects("environment", "Simulator on this machine")
    person.writes("base_url", walk.simulator.url)
    person.sees("Client id", "Client secret", "Shipper number", within=".o_field_widget[name=setting_ids]")
    assert person.reads("code") == "ups"
    person.writes_in("setting_ids", "Webhook credentials", "value", CREDENTIAL)
    person.keeps("01-account")
    person.saves()


def a_check_asks_the_carrier_and_says_what_it_answered(walk: Walk) -> None:
    person = walk.person
    person.presses("action_check")
    person.sees("The carrier answers, and takes the credentials.", within=".o_notification")
    person.sees("Last check")
    person.keeps("02-check")


def a_method_offers_what_the_carrier_can_do(walk: Walk) -> None:
    person = walk.person
    person.opens(METHODS, "new")
    person.writes("name", "UPS Ground")
    person.selects("delivery_type", "shipkit")
    person.picks("product_id", "Parcel delivery")
    person.picks("shipkit_account_id", "UPS of the shop")
    person.turns_to("shipkit")
    person.selects("shipkit_service", "UPS Ground")
    person.sees("Service", "Options", within=".o_notebook")
    person.keeps("03-method")
    person.saves()


def an_order_gets_the_carriers_price(walk: Walk) -> None:
    person = walk.person
    order(walk, "Ada Lovelace", "Cordless drill")
    person.presses("action_open_delivery_wizard")
    person.picks("carrier_id", "UPS Ground")
    if person.has("update_price"):
        person.presses("update_price")
    walk.price = person.reads("display_price")
    assert re.search(r"[1-9]", walk.price), walk.price
    person.keeps("04-price")
    person.presses("button_confirm")
    person.sees("UPS Ground", within=".o_field_widget[name=order_line]")
    person.presses("action_confirm")
    person.sees("Delivery", within=".o-form-buttonbox")
    person.keeps("05-order")


def order(walk: Walk, customer: str, *goods: str) -> None:
    """Write an order of *goods*."""
    person = walk.person
    person.opens(ORDERS, "new")
    person.picks("partner_id", customer)
    for product in goods:
        person.page.get_by_role("button", name="Add a product").or_(
            person.page.get_by_text("Add a product")
        ).first.click()
        row = person.page.locator(".o_field_widget[name=order_line] tr.o_selected_row")
        row.locator("[name=product_template_id] input, [name=product_id] input").first.fill(product)
        person.page.locator(".o-autocomplete--dropdown-item").filter(has_text=product).first.click()
        person.settles()
    person.saves()


def validating_books_and_the_label_is_there(walk: Walk) -> None:
    person = walk.person
    person.presses("action_view_delivery")
    validate(walk)
    person.sees("Shipments", within=".o-form-buttonbox")
    person.turns_to("shipkit")
    walk.delivery = person.page.url
    walk.number = walk.one("SELECT name FROM shipkit_parcel ORDER BY id DESC LIMIT 1")
    person.sees(walk.number, within=".o_field_widget[name=shipkit_parcel_ids]")
    assert walk.number in person.page.inner_text(".o-mail-Chatter")
    person.keeps("06-delivery")
    # The button opens the label in a page of its own: what is printed are the carrier's own bytes.
    with person.page.context.expect_page() as opened:
        person.page.click("button[name=action_open_label]")
    label = person.page.context.request.get(opened.value.url)
    assert label.ok and len(label.body()) > 1000, label.status
    assert label.body().startswith((b"GIF8", b"%PDF", b"\x89PNG")), label.body()[:20]
    opened.value.close()


def validate(walk: Walk) -> None:
    """Validate the transfer on the page; no text messages, of which Odoo asks once."""
    walk.person.presses("button_validate")
    if walk.person.has("Disable SMS"):
        walk.person.presses("Disable SMS")
    walk.person.settles()


def an_exception_is_pushed_and_an_activity_asks_to_act(walk: Walk) -> None:
    person = walk.person
    follow = walk.one("SELECT res_id FROM ir_model_data WHERE module = 'delivery_shipkit' AND name = 'cron_follow'")
    person.calls("ir.cron", "method_direct_trigger", int(follow))
    person.opens(ACCOUNTS, int(walk.one("SELECT id FROM shipkit_account WHERE code = 'ups'")))
    address = person.reads("webhook_url")
    walk.simulator.trigger("attempted", number=walk.number, to=address, secret=CREDENTIAL)
    walk.comes("SELECT 1 FROM mail_activity WHERE res_model = 'stock.picking'")
    person.page.goto(walk.delivery)
    person.settles()
    person.turns_to("shipkit")
    person.sees("To act", within="div[name=shipkit_problem]")
    person.sees("Planned Activities", within=".o-mail-Chatter")
    person.keeps("07-exception")


def the_dashboard_counts_by_state(walk: Walk) -> None:
    person = walk.person
    person.opens("delivery_shipkit.action_shipkit_dashboard")
    person.page.wait_for_selector(".o_graph_renderer canvas")
    person.keeps("08-dashboard")
    person.page.click(".o_switch_view.o_kanban")
    person.settles()
    person.sees("UPS Ground", within=".o_kanban_renderer")
    person.keeps("09-kanban")


def ready_to_ship(walk: Walk, customer: str, product: str) -> None:
    """An order that is confirmed, and its transfer on the page."""
    person = walk.person
    order(walk, customer, product)
    person.presses("action_open_delivery_wizard")
    person.picks("carrier_id", "UPS Ground")
    person.presses("update_price")
    person.presses("button_confirm")
    person.presses("action_confirm")
    person.presses("action_view_delivery")


def a_lost_answer_is_shown_to_look_at(walk: Walk) -> None:
    person, carrier = walk.person, walk.simulator
    ready_to_ship(walk, "Grace Hopper", "Set of drill bits")
    carrier.add_fault("drop_after_commit", operation="create_shipment")
    silent = carrier.add_fault("500", operation="find_shipments", times=None)
    person.presses("button_validate")
    person.sees("It is not known yet whether the carrier booked this", within=".modal")
    person.keeps("10-in-doubt")
    recover = walk.one("SELECT res_id FROM ir_model_data WHERE module = 'delivery_shipkit' AND name = 'cron_recover'")
    person.calls("ir.cron", "method_direct_trigger", int(recover))
    person.opens("delivery_shipkit.action_shipkit_operation")
    person.sees("OUT", within=".o_list_renderer")
    person.keeps("11-to-look-at")
    person.page.locator(".o_data_row .o_data_cell").nth(1).click()
    person.settles()
    assert person.has("action_ask")
    person.keeps("12-operation")
    carrier.faults.remove(silent)


def a_return_has_a_label(walk: Walk) -> None:
    person = walk.person
    person.page.goto(walk.delivery)
    person.settles()
    person.presses("print_return_label")
    person.settles()
    person.sees("LabelReturn", within=".o-mail-Chatter")
    person.keeps("13-return")


def cancelling_tells_the_carrier_and_says_so(walk: Walk) -> None:
    person = walk.person
    ready_to_ship(walk, "Ada Lovelace", "Set of drill bits")
    validate(walk)
    live = sum(booking.live for booking in walk.simulator.bookings())
    person.turns_to("extra")
    person.presses("cancel_shipment", confirm=True)
    person.settles()
    assert sum(booking.live for booking in walk.simulator.bookings()) == live - 1
    person.turns_to("shipkit")
    assert person.has("send_to_shipper")
    person.keeps("14-cancelled")


STEPS: Final[tuple[Callable[[Walk], None], ...]] = (
    an_account_asks_for_what_its_carrier_wants_to_know,
    a_check_asks_the_carrier_and_says_what_it_answered,
    a_method_offers_what_the_carrier_can_do,
    an_order_gets_the_carriers_price,
    validating_books_and_the_label_is_there,
    an_exception_is_pushed_and_an_activity_asks_to_act,
    the_dashboard_counts_by_state,
    a_lost_answer_is_shown_to_look_at,
    a_return_has_a_label,
    cancelling_tells_the_carrier_and_says_so,
)
