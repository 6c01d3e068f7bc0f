"""What each reason is: its kind, how bad it is, whose doing, and who must act."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from shipkit.model import Actor, Reason, Severity

__all__ = ["ReasonFacts", "facts_of"]


class ReasonFacts(NamedTuple):
    """The facts of one reason."""

    category: str
    """announce, first_mile, network, customs, last_mile, attempt, address, delay, hold, condition, delivered, return,
    cancel or admin; empty for a reason that this version does not know."""
    severity: Severity
    responsible: str
    """shipper, recipient, carrier, customs, partner, nature, other or unknown."""
    action_by: Actor


_UNKNOWN: Final = ReasonFacts("", Severity.INFO, "unknown", Actor.NOBODY)

# Reason, category, severity, responsible, who must act.
_ROWS: Final = (
    "label_created announce info shipper nobody",
    "data_received announce info shipper nobody",
    "no_advance_data announce warning shipper shipper",
    "awaiting_handover announce info shipper nobody",
    "not_received_by_carrier first_mile warning shipper shipper",
    "pickup_scheduled first_mile info carrier nobody",
    "pickup_failed first_mile warning unknown shipper",
    "picked_up first_mile info carrier nobody",
    "dropped_off first_mile info shipper nobody",
    "received_at_origin first_mile info carrier nobody",
    "arrived_at_facility network info carrier nobody",
    "departed_facility network info carrier nobody",
    "processed_at_facility network info carrier nobody",
    "departed_origin_country network info carrier nobody",
    "arrived_in_destination_country network info carrier nobody",
    "arrived_at_delivery_depot network info carrier nobody",
    "handed_to_partner network info carrier nobody",
    "received_by_partner network info partner nobody",
    "relabelled network info carrier nobody",
    "repacked network warning carrier nobody",
    "missorted network warning carrier carrier",
    "forwarded network info carrier nobody",
    "redirected network info recipient nobody",
    "redirected_by_carrier network warning carrier nobody",
    "split_status network info carrier nobody",
    "information network info carrier nobody",
    "recipient_notified network info carrier nobody",
    "problem_resolved network info carrier nobody",
    "customs_processing customs info customs nobody",
    "customs_cleared customs info customs nobody",
    "export_cleared customs info customs nobody",
    "customs_held customs warning customs customs",
    "customs_inspection customs warning customs customs",
    "customs_documents_missing customs error shipper shipper",
    "customs_data_incorrect customs error shipper shipper",
    "duties_unpaid customs error recipient recipient",
    "goods_prohibited customs error shipper shipper",
    "import_refused customs error customs shipper",
    "delivery_scheduled last_mile info carrier nobody",
    "delivery_rescheduled last_mile warning carrier carrier",
    "loaded_for_delivery last_mile info carrier nobody",
    "awaiting_collection last_mile info recipient recipient",
    "collection_expiring last_mile warning recipient recipient",
    "not_attempted last_mile warning carrier carrier",
    "attempt_failed attempt warning unknown recipient",
    "final_attempt_failed attempt error unknown shipper",
    "notice_left attempt warning recipient recipient",
    "recipient_absent attempt warning recipient recipient",
    "business_closed attempt warning recipient carrier",
    "access_restricted attempt warning recipient recipient",
    "no_secure_location attempt warning recipient recipient",
    "mailbox_blocked attempt warning recipient recipient",
    "refused_by_recipient attempt error recipient shipper",
    "identity_check_failed attempt warning recipient recipient",
    "cod_not_paid attempt warning recipient recipient",
    "address_incorrect address error shipper shipper",
    "address_incomplete address error shipper shipper",
    "address_not_found address error shipper shipper",
    "recipient_unknown address error shipper shipper",
    "recipient_moved address error recipient shipper",
    "recipient_deceased address error recipient shipper",
    "delayed delay warning unknown carrier",
    "delayed_carrier delay warning carrier carrier",
    "delayed_weather delay warning nature nobody",
    "delayed_external delay warning other nobody",
    "delayed_holiday delay info other nobody",
    "held_by_carrier hold warning carrier carrier",
    "held_on_request hold info recipient nobody",
    "held_for_payment hold warning recipient recipient",
    "security_check hold warning carrier carrier",
    "under_investigation hold warning carrier carrier",
    "delivery_exception hold warning unknown carrier",
    "contact_carrier hold warning unknown shipper",
    "damaged condition error carrier shipper",
    "lost condition error carrier shipper",
    "destroyed condition error carrier shipper",
    "disposed condition error carrier shipper",
    "seized condition error customs shipper",
    "outside_service_limits condition error shipper shipper",
    "delivered delivered info carrier nobody",
    "delivered_signed delivered info carrier nobody",
    "delivered_to_neighbour delivered info carrier nobody",
    "delivered_safe_place delivered info carrier nobody",
    "delivered_mailbox delivered info carrier nobody",
    "delivered_reception delivered info carrier nobody",
    "delivered_alternative_location delivered info carrier nobody",
    "delivered_to_agent delivered info carrier nobody",
    "delivered_to_pickup_point last_mile info carrier recipient",
    "collected_by_recipient delivered info recipient nobody",
    "delivered_partial delivered warning carrier shipper",
    "delivered_damaged delivered error carrier shipper",
    "cod_collected delivered info recipient nobody",
    "proof_recorded delivered info carrier nobody",
    "return_requested return info shipper nobody",
    "returning_to_sender return warning carrier shipper",
    "returned_to_sender return warning carrier shipper",
    "uncollected return warning recipient shipper",
    "undeliverable return error unknown shipper",
    "cancelled_by_shipper cancel info shipper nobody",
    "cancelled_by_carrier cancel warning carrier shipper",
    "cancelled cancel info unknown nobody",
    "cancellation_requested cancel info shipper nobody",
    "cancellation_failed cancel error carrier shipper",
    "announcement_failed announce error unknown shipper",
    "tracking_expired admin info carrier nobody",
    "tracking_unavailable admin info carrier nobody",
    "unmapped admin info unknown nobody",
    "error admin warning unknown carrier",
)


@cache
def _table() -> dict[str, ReasonFacts]:
    return {
        reason: ReasonFacts(category, Severity(severity), responsible, Actor(actor))
        for reason, category, severity, responsible, actor in (row.split() for row in _ROWS)
    }


def facts_of(reason: Reason) -> ReasonFacts:
    """The facts of *reason*; of one that is not known, that nobody must act."""
    return _table().get(reason, _UNKNOWN)
