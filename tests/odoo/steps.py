"""The steps of the walk, in order. Each names what a person finds true."""

from __future__ import annotations

import re
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
    number: str = ""

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
    walk.number = walk.one("SELECT name FROM shipkit_parcel ORDER BY id DESC LIMIT 1")
    person.sees(walk.number, within=".o_field_widget[name=shipkit_parcel_ids]")
    assert walk.number in person.page.inner_text(".o-mail-Chatter")
    person.keeps("06-delivery")


def validate(walk: Walk) -> None:
    """Validate the transfer on the page; no text messages, of which Odoo asks once."""
    walk.person.presses("button_validate")
    if walk.person.has("Disable SMS"):
        walk.person.presses("Disable SMS")
    walk.person.settles()


STEPS: Final[tuple[Callable[[Walk], None], ...]] = (
    an_account_asks_for_what_its_carrier_wants_to_know,
    a_check_asks_the_carrier_and_says_what_it_answered,
    a_method_offers_what_the_carrier_can_do,
    an_order_gets_the_carriers_price,
    validating_books_and_the_label_is_there,
)
