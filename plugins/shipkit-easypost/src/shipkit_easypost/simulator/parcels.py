"""Trackers and webhooks: following any parcel, and asking to be told."""

from __future__ import annotations

from typing import Final

from shipkit.simulator import Call, NotInBooksError, Reply, Subscription, route

from .base import Json, RefusedError
from .tracking import TEST_CODES, Tracking

__all__ = ["ParcelRoutes"]

_UNKNOWN: Final = "EZ7000000007"


class ParcelRoutes(Tracking):
    """``/v2/trackers`` and ``/v2/webhooks``."""

    @route("POST", "/v2/trackers", operation="track")
    def create_tracker(self, call: Call) -> Reply:
        """The tracker of a number; asked for again it is the same one (npm Tracker/Tracker)."""
        given = self.wrapped(call, "tracker")
        code, carrier = str(given.get("tracking_code") or ""), given.get("carrier")
        if not code:
            raise RefusedError(
                "PARAMETER.REQUIRED", "Missing required parameter.", ("tracking_code", "cannot be blank")
            )
        tracker = self._tracker(call, code, carrier)
        shown = {name: value for name, value in tracker.items() if name != "fees"}
        return Reply.json({**shown, "finalized": True, "is_return": self._is_return(tracker)})

    @route("GET", "/v2/trackers/{id}", operation="retrieve_tracker")
    def retrieve_tracker(self, call: Call) -> Reply:
        """The tracker of that id, as of now."""
        for code, carrier, tracker_id in self._known(call):
            if tracker_id == call.params["id"]:
                return Reply.json(self._tracker(call, code, carrier))
        raise NotInBooksError(call.params["id"])

    @route("GET", "/v2/trackers", operation="list_trackers")
    def list_trackers(self, call: Call) -> Reply:
        """Trackers, by number if one is named."""
        wanted = call.query.get("tracking_code")
        found = [self._tracker(call, code, carrier) for code, carrier, _ in self._known(call) if wanted in (None, code)]
        return Reply.json({"trackers": found, "has_more": False})

    @route("POST", "/v2/webhooks", operation="subscribe", purchase=True)
    def create_webhook(self, call: Call) -> Reply:
        """Push every event of the account there from now on."""
        given = self.wrapped(call, "webhook")
        if not given.get("url"):
            raise RefusedError("PARAMETER.REQUIRED", "Missing required parameter.", ("url", "cannot be blank"))
        hook = self.world.subscribe(
            subscription_id=self.new_id("hook"),
            url=given["url"],
            credential=given.get("webhook_secret") or "",
            account=self.account(call),
            mode=self.mode(call),
        )
        return Reply.json(_webhook(hook), 201)

    @route("GET", "/v2/webhooks", operation="list_webhooks")
    def list_webhooks(self, call: Call) -> Reply:
        """All of the account."""
        return Reply.json({"webhooks": [_webhook(hook) for hook in self._hooks(call)]})

    @route("GET", "/v2/webhooks/{id}", operation="retrieve_webhook")
    def retrieve_webhook(self, call: Call) -> Reply:
        """One of the account."""
        return Reply.json(_webhook(self._hook(call)))

    @route("PATCH", "/v2/webhooks/{id}", operation="subscribe", purchase=True)
    def update_webhook(self, call: Call) -> Reply:
        """Enable it, with the secret if one is given."""
        old, body = self._hook(call), call.json()
        self.world.unsubscribe(old.id)
        hook = self.world.subscribe(
            subscription_id=old.id,
            url=old.url,
            credential=body.get("webhook_secret") or old.credential,
            account=old.account,
            mode=old.details["mode"],
        )
        return Reply.json(_webhook(hook))

    @route("DELETE", "/v2/webhooks/{id}", operation="unsubscribe")
    def delete_webhook(self, call: Call) -> Reply:
        """Push there no more."""
        self.world.unsubscribe(self._hook(call).id)
        return Reply.json({})

    def _tracker(self, call: Call, code: str, carrier: object) -> Json:
        row = self.shipment_of(call, code)
        if row is not None:
            return self.tracker_of(row)
        name = f"{self.account(call)}/{code}"
        known = self.world.drawer("trackers").get(name)
        if known is None:
            if not carrier and code not in TEST_CODES and code != _UNKNOWN:
                raise RefusedError("TRACKER.NO_CARRIER_FOR_CODE", "No carrier is known for this tracking code.")
            blank = {"id": "", "mode": self.mode(call), "tracking_code": code, "selected_rate": {"carrier": ""}}
            known = {**self.new_tracker(blank), "carrier": carrier or "USPS", "shipment_id": None}
            self.world.drawer("trackers")[name] = known
        if code in TEST_CODES:
            return self.test_tracker(known, code)
        return {**known, "public_url": f"https://track.easypost.com/{known['id'][4:]}"}

    def _known(self, call: Call) -> list[tuple[str, str, str]]:
        account = self.account(call)
        bought = [
            (booking.numbers[0], "", self.world.drawer("shipments")[booking.id]["tracker"]["id"])
            for booking in self.world.bookings()
            if booking.account == account
        ]
        asked = [
            (tracker["tracking_code"], tracker["carrier"], tracker["id"])
            for name, tracker in self.world.drawer("trackers").items()
            if name.startswith(f"{account}/")
        ]
        return [*bought, *asked]

    def _is_return(self, tracker: Json) -> bool:
        row = self.world.drawer("shipments").get(tracker["shipment_id"])
        return bool(row and row["is_return"])

    def _hooks(self, call: Call) -> list[Subscription]:
        return [hook for hook in self.world.subscriptions() if hook.account == self.account(call)]

    def _hook(self, call: Call) -> Subscription:
        for hook in self._hooks(call):
            if hook.id == call.params["id"]:
                return hook
        raise NotInBooksError(call.params["id"])


def _webhook(hook: Subscription) -> Json:
    return {
        "id": hook.id,
        "object": "Webhook",
        "mode": hook.details["mode"],
        "url": hook.url,
        "disabled_at": None,
        "custom_headers": [],
    }
