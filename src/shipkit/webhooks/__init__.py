"""Who sent this push: declarative checks on the raw bytes, in constant time, closed by default."""

TYPE_CHECKING = False  # both type checkers know this name
if TYPE_CHECKING:
    from shipkit.webhooks.auth import WebhookAuth
    from shipkit.webhooks.combining import AllOf, AnyOf
    from shipkit.webhooks.hmacs import Hmac
    from shipkit.webhooks.rsa import Rsa
    from shipkit.webhooks.senders import Confidence, Preset, preset, presets, scheme_of
    from shipkit.webhooks.shared import Basic, QueryToken, SharedHeader, SourceAddress, Unsigned
    from shipkit.webhooks.standard import STANDARD, sign
    from shipkit.webhooks.verdicts import RawPush, Scheme, Verdict, verify

__all__ = [
    "STANDARD",
    "AllOf",
    "AnyOf",
    "Basic",
    "Confidence",
    "Hmac",
    "Preset",
    "QueryToken",
    "RawPush",
    "Rsa",
    "Scheme",
    "SharedHeader",
    "SourceAddress",
    "Unsigned",
    "Verdict",
    "WebhookAuth",
    "preset",
    "presets",
    "scheme_of",
    "sign",
    "verify",
]

_ROOMS = {
    "STANDARD": "standard",
    "AllOf": "combining",
    "AnyOf": "combining",
    "Basic": "shared",
    "Confidence": "senders",
    "Hmac": "hmacs",
    "Preset": "senders",
    "QueryToken": "shared",
    "RawPush": "verdicts",
    "Rsa": "rsa",
    "Scheme": "verdicts",
    "SharedHeader": "shared",
    "SourceAddress": "shared",
    "Unsigned": "shared",
    "Verdict": "verdicts",
    "WebhookAuth": "auth",
    "preset": "senders",
    "presets": "senders",
    "scheme_of": "senders",
    "sign": "standard",
    "verify": "verdicts",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        room = _ROOMS.get(name)
        if room is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = globals()[name] = getattr(import_module(f"{__name__}.{room}"), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
