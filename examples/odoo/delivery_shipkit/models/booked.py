"""What came back from the carrier, on the transfer: rows, papers, price."""

from __future__ import annotations

import hashlib
from datetime import timezone

from markupsafe import Markup
from odoo import models

from shipkit import Shipment as Booking
from shipkit.model import BookingState, Document, DocumentKind

from .. import compat

_LABELS = (DocumentKind.LABEL, DocumentKind.RETURN_LABEL, DocumentKind.QR_CODE)

_MARK = "o_shipkit_not_booked"


class StockPicking(models.Model):
    """A transfer that was booked."""

    _inherit = "stock.picking"

    def _shipkit_key(self) -> str:
        """Names the intent in the ledger: the same on every try, and nobody else's."""
        self.ensure_one()
        return f"picking-{self.id}"

    def _shipkit_chain(self):
        """This transfer and all before and after it on the way of its goods: core writes the number on each."""
        chain = self
        for link in ("move_orig_ids", "move_dest_ids"):
            seen = moves = self.move_ids[link]
            while moves:
                chain |= moves.picking_id
                moves = moves[link] - seen
                seen |= moves
        return chain

    def _shipkit_attach(self, booked: Booking, contents=None):
        """The row of *booked*, made or brought up to date, with its papers on this transfer, each of them once."""
        self.ensure_one()
        if contents is None:
            contents = compat.contents_of(self, self.carrier_id._shipkit_package_type())
        shipments = self.env["shipkit.shipment"].sudo()
        known = shipments.search(
            [("key", "=", booked.key or self._shipkit_key()), ("generation", "=", booked.generation or 1)], limit=1
        )
        shipments._end_earlier(booked.key or self._shipkit_key(), booked.generation or 1)
        if known:
            known._bring_up_to_date(booked)
        else:
            known = shipments.create(self._shipkit_values(booked, contents))
        known._attach(booked)
        self._shipkit_over()
        return known

    def _carrier_exception_note(self, exception):
        """Core's words for a delivery of a batch that was not booked, with a mark by which they are found again."""
        return Markup(super()._carrier_exception_note(exception).replace("<div>", f'<div class="{_MARK}">', 1))

    def _shipkit_over(self) -> None:
        """What core asked somebody to look at is over: there is a label."""
        warned = self.sudo().activity_ids.filtered(lambda one: one.note and _MARK in one.note)
        if warned:
            warned.action_feedback(feedback=self.env._("It is booked now."))

    def _shipkit_values(self, booked: Booking, contents) -> dict[str, object]:
        carrier, total = self.carrier_id, booked.total
        currencies = self.env["res.currency"].with_context(active_test=False)
        since = booked.created_at.astimezone(timezone.utc)
        number = next((str(each) for each in booked.tracking_numbers), "")
        parcels = []
        for package in booked.packages:
            own = str(package.tracking_number or number)
            content = contents[package.position] if package.position < len(contents) else None
            parcels.append(
                {
                    "position": package.position,
                    "name": own,
                    "package_id": content.package.id if content else False,
                    "weight": float(content.weight) if content else 0.0,
                    "milestone": "announced",
                }
            )
        return {
            "name": booked.shipment_id,
            "key": booked.key or self._shipkit_key(),
            "generation": booked.generation or 1,
            "picking_id": self.id,
            "picking_ids": [(6, 0, self._shipkit_chain().ids)],
            "company_id": self.company_id.id,
            "carrier_id": carrier.id,
            "account_id": carrier.sudo().shipkit_account_id.id,
            "plugin": booked.carrier,
            "service": booked.service,
            "booked_at": since.replace(tzinfo=None),
            "price": float(total.amount) if total else 0.0,
            "currency_id": currencies.search([("name", "=", total.currency)], limit=1).id if total else False,
            "state": "label_pending" if booked.state is BookingState.LABEL_PENDING else "confirmed",
            "promised_on": _latest(booked),
            "milestone": "announced",
            "parcel_ids": [(0, 0, parcel) for parcel in parcels],
        }


class Shipment(models.Model):
    """A booking and its papers."""

    _inherit = "shipkit.shipment"

    def _numbers(self) -> list[str]:
        """The numbers of the parcels that are still booked, each once."""
        live = self.parcel_ids.filtered(lambda parcel: not parcel.voided)
        return list(dict.fromkeys(filter(None, live.mapped("name"))))

    def _tracking_ref(self) -> str:
        """The numbers as core keeps them: one text, joined by commas."""
        return ",".join(self._numbers())

    def _end_earlier(self, key: str, generation: int) -> None:
        """A key has one live booking: those before this one are cancelled, though a rollback took that from Odoo."""
        before = [("key", "=", key), ("generation", "<", generation), ("state", "!=", "voided")]
        self.search(before).write({"state": "voided"})

    def _bring_up_to_date(self, booked: Booking) -> None:
        if self.state == "label_pending" and booked.state is not BookingState.LABEL_PENDING:
            self.state = "confirmed"

    def _attach(self, booked: Booking) -> None:
        """The papers of *booked* on the transfer, under the names that core expects, in one line of the chatter."""
        picking = self.picking_id
        files = [(self._file_name(booked, number, paper), paper) for number, paper in _papers(booked)]
        here = [("res_model", "=", "stock.picking"), ("res_id", "=", picking.id)]
        named = [*here, ("name", "in", [name for name, _paper in files])]
        attachments = self.env["ir.attachment"].sudo()
        there = {(each.name, each.checksum): each for each in attachments.search(named)} if files else {}
        new = attachments
        for name, paper in files:
            mark = name, hashlib.sha1(paper.content).hexdigest()
            if mark not in there:
                values = {"name": name, "raw": paper.content, "res_model": "stock.picking", "res_id": picking.id}
                there[mark] = attachments.create(values)
                new |= there[mark]
            self._put(there[mark], paper)
        if new:
            words = self.env._("Labels and papers of %s", ", ".join(self._numbers()) or self.name)
            picking.message_post(body=words, attachment_ids=new.ids)

    def _put(self, attachment, paper: Document) -> None:
        self.attachment_ids |= attachment
        if paper.kind in _LABELS:
            refs = paper.package_refs
            of = self.parcel_ids.filtered(lambda parcel: not refs or str(parcel.position + 1) in refs)
            of.attachment_id = attachment

    def _file_name(self, booked: Booking, number: int, paper: Document) -> str:
        method = self.carrier_id
        packages = [each for each in booked.packages if each.ref in paper.package_refs]
        only = packages[0].tracking_number if len(packages) == 1 else None
        of = str(only or next(iter(booked.tracking_numbers), "") or booked.shipment_id)
        if paper.kind in _LABELS:
            return f"{method._get_delivery_label_prefix()}-{of}-{number}.{paper.format}"
        return f"{method._get_delivery_doc_prefix()}-{of}-{paper.kind}-{number}.{paper.format}"

    def _price_for(self, picking) -> float:
        """What it cost, in the currency of the order, else the company's; 0 where that is not known, and a note."""
        wanted, method = picking.sale_id.currency_id or picking.company_id.currency_id, picking.carrier_id
        if not self.currency_id:
            picking.message_post(body=self.env._("The carrier does not say what %s costs.", self.name))
            return 0.0
        if self.currency_id == wanted:
            return self.price
        company = picking.company_id
        for each in (self.currency_id, wanted):
            if each != company.currency_id and not method._shipkit_has_rate(each, company):
                picking.message_post(
                    body=self.env._(
                        "%(name)s costs %(price)s %(theirs)s; without a rate for %(lacks)s the price is left out.",
                        name=self.name,
                        price=self.price,
                        theirs=self.currency_id.name,
                        lacks=each.name,
                    )
                )
                return 0.0
        return self.currency_id._convert(self.price, wanted, company, compat.day_of(picking))


def _papers(booked: Booking) -> list[tuple[int, Document]]:
    return [(number, paper) for number, paper in enumerate(booked.documents, 1) if paper.content]


def _latest(booked: Booking):
    """The last day that the carrier named."""
    window = booked.transit.window if booked.transit is not None else None
    when = (window.latest or window.earliest) if window is not None else None
    if when is None:
        return False
    return when.local.date() if hasattr(when.local, "date") else when.local
