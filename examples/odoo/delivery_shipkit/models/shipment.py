"""What was booked, and its parcels: in the business transaction, beside the ledger that cannot be rolled back."""

from __future__ import annotations

from odoo import fields, models

MILESTONES = [
    ("unknown", "Not known yet"),
    ("announced", "Announced"),
    ("accepted", "Handed over"),
    ("in_transit", "In transit"),
    ("out_for_delivery", "Out for delivery"),
    ("delivery_attempted", "Delivery attempted"),
    ("ready_for_pickup", "Ready for pickup"),
    ("delivered", "Delivered"),
    ("returning", "On its way back"),
    ("returned", "Returned"),
    ("lost", "Lost"),
    ("destroyed", "Destroyed"),
    ("cancelled", "Cancelled"),
]
"""`shipkit.model.Milestone`, in the words of a warehouse."""
ACTORS = [
    ("none", "Nobody"),
    ("merchant", "Us"),
    ("sender", "Sender"),
    ("recipient", "Recipient"),
    ("carrier", "Carrier"),
    ("customs", "Customs"),
]


class Shipment(models.Model):
    """One booking at a carrier."""

    _name = "shipkit.shipment"
    _description = "Shipment"
    _inherit = ["mail.thread"]
    _mail_post_access = "read"  # what it says is the carrier's; nobody writes it, and all may speak of it
    _order = "id desc"

    name = fields.Char(string="Carrier's number", required=True, index=True)
    kind = fields.Selection([("outbound", "Delivery"), ("return", "Return")], required=True, default="outbound")
    key = fields.Char(required=True, index=True, help="Names the intent in the ledger.")
    generation = fields.Integer(default=1)
    picking_id = fields.Many2one("stock.picking", index=True, ondelete="set null")
    picking_ids = fields.Many2many(
        "stock.picking",
        "shipkit_shipment_picking_rel",
        "shipment_id",
        "picking_id",
        string="Transfers",
        help="All of the chain that shows its number.",
    )
    partner_id = fields.Many2one(related="picking_id.partner_id", store=True)
    company_id = fields.Many2one("res.company", required=True, index=True)
    carrier_id = fields.Many2one("delivery.carrier", ondelete="set null")
    account_id = fields.Many2one("shipkit.account", ondelete="set null", index=True)
    plugin = fields.Char(string="Carrier's code")
    service = fields.Char()
    state = fields.Selection(
        [
            ("confirmed", "Booked"),
            ("label_pending", "Label follows"),
            ("voiding", "Being cancelled"),
            ("voided", "Cancelled"),
            ("manifested", "Manifested"),
        ],
        required=True,
        default="confirmed",
        tracking=True,
    )
    booked_at = fields.Datetime(index=True)
    price = fields.Monetary(help="What the carrier says it will bill.")
    currency_id = fields.Many2one("res.currency")
    promised_on = fields.Date(help="The latest day that the carrier named when it was booked.")
    expected_on = fields.Date(help="The carrier's newest estimate.")
    parcel_ids = fields.One2many("shipkit.parcel", "shipment_id")
    attachment_ids = fields.Many2many("ir.attachment", string="Labels and documents")
    milestone = fields.Selection(MILESTONES, default="unknown", index=True)
    reason = fields.Char(help="Why it is there, in shipkit's code.")
    actor = fields.Selection(ACTORS, default="none", help="Who has to act on an open problem.")
    problem = fields.Char(help="The open problem, in words.")
    delivered_at = fields.Datetime()
    late = fields.Boolean(help="Past the promised day and not delivered, or delivered after it.")
    manifest_id = fields.Many2one("shipkit.manifest", ondelete="set null", index="btree_not_null")
    pickup_id = fields.Many2one("shipkit.pickup", ondelete="set null", index="btree_not_null")


class Parcel(models.Model):
    """One parcel with a number of its own."""

    _name = "shipkit.parcel"
    _description = "Parcel"
    _order = "shipment_id, position"

    shipment_id = fields.Many2one("shipkit.shipment", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="shipment_id.company_id", store=True)
    position = fields.Integer()
    name = fields.Char(string="Tracking number", index=True)
    scope = fields.Char(index=True, help="Names its timeline in shipkit's event store.")
    package_id = fields.Many2one("stock.package", ondelete="set null")
    weight = fields.Float(digits="Stock Weight")
    attachment_id = fields.Many2one("ir.attachment", string="Label", ondelete="set null")
    milestone = fields.Selection(MILESTONES, default="unknown", index=True)
    reason = fields.Char()
    actor = fields.Selection(ACTORS, default="none")
    problem = fields.Char()
    delivered_at = fields.Datetime()
    signed_by = fields.Char()
    proof_attachment_id = fields.Many2one("ir.attachment", string="Proof of delivery", ondelete="set null")
    event_ids = fields.One2many("shipkit.event", "parcel_id")
