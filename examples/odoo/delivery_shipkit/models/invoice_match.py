"""A billing file in, and each of its lines held against shipments, parcels and what was seen of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from shipkit.carrier import ReadsInvoices
from shipkit.codec import from_json, to_json
from shipkit.errors import PluginError
from shipkit.invoices import Booked, Finding, Seen, Terms, match
from shipkit.model import InvoiceLine as Billed
from shipkit.model import Milestone, Money, Weight, WeightUnit, canonical_number

from ..bridge import in_odoos_words
from .account import REGISTRY, Unusable
from .invoice import DECIDED, REASONS

UNUSED_AFTER_DAYS = 14


def plugins_that_read() -> list[str]:
    """The carriers whose bills can be read."""
    found = []
    for name in REGISTRY.names():
        try:
            carrier = REGISTRY.carrier(name)
        except PluginError:  # one that cannot be imported reads nothing
            continue
        if callable(getattr(carrier, "read_invoice", None)):
            found.append(name)
    return found


class Invoice(models.Model):
    """A carrier's bill, read and matched."""

    _inherit = "shipkit.invoice"

    @api.model
    def _read_file(self, account, content: bytes) -> tuple[Billed, ...]:
        """The lines of a billing file.

        Raises:
            UserError: the account's carrier has no such file, or this is none; line and column are named.
        """
        account = account.sudo()
        try:
            carrier = account._carrier(account._table_of(asked=False))
        except Unusable as unusable:
            raise UserError(str(unusable)) from None
        if not isinstance(carrier, ReadsInvoices):
            raise UserError(_("The plugin of %s reads no bills.", account.name))
        with in_odoos_words(self.env):
            return carrier.read_invoice(content)

    @api.model
    def _import(self, account, content: bytes):
        """Add what is new in a billing file, and match it; the same file again adds nothing.

        Raises:
            UserError: the file cannot be read, or contradicts a line that was imported.
        """
        bills: dict[str, list[Billed]] = defaultdict(list)
        for line in self._read_file(account, content):
            bills[line.invoice_number].append(line)
        invoices, added = self.browse(), self.env["shipkit.invoice.line"]
        for number, lines in bills.items():
            invoice = self.search([("account_id", "=", account.id), ("name", "=", number)])
            invoice = invoice or self.create(self._values_of(account, number, lines))
            added |= invoice._add(lines)
            invoices |= invoice
        self._match(added)
        return invoices, added

    def _values_of(self, account, number: str, lines: list[Billed]) -> dict:
        return {
            "name": number,
            "account_id": account.id,
            "company_id": (account.company_id or self.env.company).id,
            "billed_on": lines[0].billed_on,
            "currency_id": self._currency(_amount(lines[0]).currency).id,
        }

    def _currency(self, code: str):
        currency = self.env["res.currency"].with_context(active_test=False).search([("name", "=", code)])
        if not currency:
            raise UserError(_("Odoo does not know the currency %s of the bill.", code))
        return currency

    def _add(self, lines: list[Billed]):
        """The lines that this bill does not have yet."""
        self.ensure_one()
        rows = self.env["shipkit.invoice.line"].sudo()
        known = {row.line_ref: row.document for row in rows.search([("invoice_id", "=", self.id)])}
        currencies = {code: self._currency(code) for code in {_amount(line).currency for line in lines}}
        values = []
        for line in lines:
            text = _text(line)
            if line.line_id not in known:
                row = self._row_of(line, currencies[_amount(line).currency])
                values.append({"invoice_id": self.id, "document": text, **row})
            elif known[line.line_id] != text:
                raise UserError(
                    _(
                        "Bill %(bill)s was imported, and says something else about %(line)s now. Nothing was imported.",
                        bill=self.name,
                        line=line.line_id,
                    )
                )
        added = rows.create(values).sudo(False)
        own = self.line_ids.filtered(lambda row: row.currency_id == self.currency_id)
        self.amount = sum(own.mapped("billed"))
        return added

    def _row_of(self, line: Billed, currency) -> dict:
        return {
            "line_ref": line.line_id,
            "tracking_number": str(line.tracking_number) if line.tracking_number else False,
            "service": line.billed_service or False,
            "charges": "\n".join(
                " ".join(filter(None, (charge.code, charge.description, str(charge.amount)))) for charge in line.charges
            ),
            "billed_weight": str(line.billed_weight) if line.billed_weight else False,
            "declared_weight": str(line.declared_weight) if line.declared_weight else False,
            "currency_id": currency.id,
            "billed": float(_amount(line).amount),
        }

    # The match

    @api.model
    def _match(self, lines) -> None:
        """Find out what *lines* are; those that somebody decided about keep the decision.

        Every line of the same bookings takes part, those of earlier bills too: they share a price, and may be the same.
        """
        numbers = set(filter(None, lines.mapped("tracking_number")))
        for company in lines.company_id:
            own = lines.filtered(lambda line, of=company: line.company_id == of)
            shipments = self._shipments(company, numbers)
            known = numbers | {number for shipment in shipments for number in _numbers(shipment)}
            with_them = own | self.env["shipkit.invoice.line"].search(
                [("company_id", "=", company.id), ("tracking_number", "in", list(known))]
            )
            self._match_with(own, with_them, shipments)

    def _shipments(self, company, numbers: Iterable[str]):
        numbers = list(numbers)
        parcels = self.env["shipkit.parcel"].sudo().search([("company_id", "=", company.id), ("name", "in", numbers)])
        named = self.env["shipkit.shipment"].sudo().search([("company_id", "=", company.id), ("name", "in", numbers)])
        return (parcels.shipment_id | named).sorted("id")

    def _match_with(self, own, lines, shipments) -> None:
        read = {(row.account_id.id, row.invoice_id.name, row.line_ref): row for row in lines}
        for account in lines.account_id:  # numbers of bills are the carrier's: two accounts may have the same
            rows = lines.filtered(lambda row, of=account: row.account_id == of)
            findings = match(
                [from_json(row.sudo().document, Billed) for row in rows],
                [self._booked(shipment) for shipment in shipments if shipment.plugin in (account.plugin, False)],
                {parcel.name: _seen(parcel) for parcel in shipments.parcel_ids if parcel.name},
                on=fields.Date.context_today(self),
                terms=Terms(tolerance=self._tolerance(rows), unused_after_days=UNUSED_AFTER_DAYS),
            )
            for finding in findings:
                if finding.line is not None:
                    row = read[account.id, finding.line.invoice_number, finding.line.line_id]
                    if row in own:
                        self._found(row, finding, shipments, read.get((account.id, *(finding.against or ("", "")))))

    @api.model
    def _tolerance(self, rows) -> dict[str, Decimal]:
        """A difference below the currency's smallest coin is none."""
        return {each.name: Decimal(str(each.rounding)) / 2 for each in rows.currency_id}

    def _found(self, row, finding: Finding, shipments, against) -> None:
        shipment = shipments.browse(int(finding.booking)) if finding.booking else shipments.browse()
        parcels = shipment.parcel_ids.filtered(lambda parcel: _same(parcel.name, row.tracking_number))
        reason = finding.reason and finding.reason.value
        values = {
            "shipment_id": shipment.id,
            "parcel_id": parcels[:1].id,
            "outcome": finding.kind.value,
            "reason": reason if reason in dict(REASONS) else "other",
            "booked": float(finding.booked.amount) if finding.booked else 0.0,
            "difference": float(finding.difference.amount) if finding.difference else 0.0,
            "against_id": against.id if against else False,
        }
        row.write(values)
        if row.state not in DECIDED:
            row.state = row._found()

    def _booked(self, shipment) -> Booked:
        unit = self._weight_unit()
        priced = shipment.currency_id and shipment.price
        return Booked(
            id=str(shipment.id),
            numbers=tuple(_numbers(shipment)),
            total=Money(_decimal(shipment.price, 6), shipment.currency_id.name) if priced else None,
            booked_on=shipment.booked_at.date() if shipment.booked_at else None,
            voided=shipment.state == "voided",
            returned=shipment.kind == "return",
            weights={
                parcel.name: Weight(_decimal(parcel.weight, 6), unit)
                for parcel in shipment.parcel_ids
                if parcel.name and parcel.weight
            },
        )

    @api.model
    def _weight_unit(self) -> WeightUnit:
        """The unit in which this database keeps weights."""
        pounds = self.env["ir.config_parameter"].sudo().get_param("product.weight_in_lbs") == "1"
        return WeightUnit.LB if pounds else WeightUnit.KG


def _amount(line: Billed) -> Money:
    amount = line.billed
    if amount is None:
        raise UserError(_("The plugin gave the line %s without one sum.", line.line_id))
    return amount


def _text(line: Billed) -> str:
    text = to_json(line)
    return text.decode() if isinstance(text, bytes) else text


def _decimal(value: float, places: int) -> Decimal:
    return Decimal(f"{value:.{places}f}").normalize() + 0


def _numbers(shipment) -> list[str]:
    """The numbers of a booking's parcels; its own where the carrier numbers the whole only."""
    return [name for name in shipment.parcel_ids.mapped("name") if name] or [shipment.name]


def _same(name: str, number: str) -> bool:
    return bool(name and number) and canonical_number(name) == canonical_number(number)


def _seen(parcel) -> Seen:
    at = parcel.delivered_at
    return Seen(milestone=Milestone(parcel.milestone or "unknown"), delivered_on=at.date() if at else None)
