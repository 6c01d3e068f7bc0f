"""Void: VoidShipmentResponse (Shipping.yaml, version v2409)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from shipkit.model import CancellationResult, CancelOutcome, CancelRequest, PackageOutcome
from shipkit.readers import wire

from .common import HeadRow
from .numbers import number_from_wire

__all__ = ["VoidReply", "already_voided", "cancellation_from_wire", "void_params"]

_VOIDED: Final = "1"  # "Voided or Already Voided"; 0 is "Not Voided"


@wire
class StatusRow:
    Code: str
    Description: str | None = None


@wire
class PackageLevelRow:
    TrackingNumber: str
    Status: StatusRow


@wire
class SummaryRow:
    Status: StatusRow


@wire
class VoidShipmentResponse:
    Response: HeadRow
    SummaryResult: SummaryRow
    PackageLevelResults: tuple[PackageLevelRow, ...] = ()


@wire
class VoidReply:
    VoidShipmentResponse: VoidShipmentResponse


def void_params(request: CancelRequest) -> dict[str, str] | None:
    """Nothing for the whole shipment; for some of its packages their numbers, as UPS writes a list."""
    if not request.package_refs:
        return None
    numbers = [number.value for number in request.tracking_numbers]
    listed = ",".join(f'"{number}"' for number in numbers)
    return {"trackingnumber": numbers[0] if len(numbers) == 1 else f"[{listed}]"}


def cancellation_from_wire(request: CancelRequest, reply: VoidReply) -> CancellationResult:
    """What became of each package, where UPS says it, and of the whole."""
    row = reply.VoidShipmentResponse
    refs = dict(zip((n.value for n in request.tracking_numbers), request.package_refs, strict=False))
    packages = tuple(
        PackageOutcome(
            package_ref=refs.get(package.TrackingNumber),
            tracking_number=number_from_wire(package.TrackingNumber),
            outcome=_outcome(package.Status),
            carrier_code=package.Status.Code,
            text=package.Status.Description,
        )
        for package in row.PackageLevelResults
    )
    return CancellationResult(
        outcome=_whole(_outcome(row.SummaryResult.Status), (package.outcome for package in packages)),
        packages=packages,
        messages=row.Response.Alert,
    )


def already_voided(request: CancelRequest) -> CancellationResult:
    outcome = CancelOutcome.ALREADY_VOIDED
    return CancellationResult(
        outcome=outcome,
        packages=tuple(PackageOutcome(tracking_number=number, outcome=outcome) for number in request.tracking_numbers),
    )


def _outcome(status: StatusRow) -> CancelOutcome:
    if status.Code != _VOIDED:
        return CancelOutcome.REJECTED
    return CancelOutcome.ALREADY_VOIDED if "already" in (status.Description or "").lower() else CancelOutcome.VOIDED


def _whole(summary: CancelOutcome, packages: Iterable[CancelOutcome]) -> CancelOutcome:
    """Partly, where some packages were voided and others not, whatever the summary says."""
    seen = set(packages)
    if CancelOutcome.REJECTED in seen and len(seen) > 1:
        return CancelOutcome.PARTLY
    return seen.pop() if len(seen) == 1 else summary
