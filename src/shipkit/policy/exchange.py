"""One exchange: send within the deadline, let the carrier's ``check`` speak, and stay honest about what is proved."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..carrier import Carrier
from ..errors import (
    AuthenticationError,
    CarrierError,
    DeadlineError,
    NotSentError,
    PluginError,
    RateLimitedError,
    ReplyError,
    ShipkitError,
    UnavailableError,
)
from ..flow import Request, Response, Run, Send, Transmit
from .context import Context

__all__ = ["exchanging"]

_PROVEN: dict[int, type[CarrierError]] = {401: AuthenticationError, 429: RateLimitedError}


def exchanging(carrier: Carrier, context: Context) -> Send:
    """Send a request once; return its reply, or raise what the reply, or the silence, proves."""

    def send(request: Request) -> Run[Response]:
        _refuse_unsendable(request, context.hosts)
        purchase, until = not request.replayable, context.until
        if purchase and context.not_after is not None:
            until = min(until, context.not_after + context.settings.exchange_max_s)  # a claim's lease covers it
        effect = Transmit(
            request=request if request.id else request.with_id(context.request_id()),
            until=until,
            not_after=context.not_after if purchase else None,
            proxy=carrier.proxy,
        )
        if purchase:
            context.purchase_left = True
        try:
            response: Response = yield effect
        except (NotSentError, DeadlineError) as error:
            context.purchase_left = context.purchase_left and not purchase
            if isinstance(error, DeadlineError):
                error.deadline_s = context.deadline_s
            raise
        except BaseException:
            if not effect.left:  # a task that was cancelled while it connected, say
                context.purchase_left = context.purchase_left and not purchase
            raise
        try:
            _checked(carrier, response)
        except (AuthenticationError, RateLimitedError):
            context.purchase_left = context.purchase_left and not purchase
            raise
        return response

    return send


def _refuse_unsendable(request: Request, hosts: frozenset[str]) -> None:
    """Raise before anything is sent, without the value: it may be a secret or a person's."""
    try:
        host = urlsplit(request.url).hostname or ""
    except ValueError:  # such as "https://[label"
        host = ""
    if host not in hosts:
        raise PluginError(f"{request.name} would go to a host that the carrier's facts do not name")
    for name, value in request.headers.pairs():
        if not (value.isascii() and value.isprintable() and value == value.strip()):
            raise PluginError(f"{request.name}: what the plugin puts into the header {name} cannot be sent")


def _checked(carrier: Carrier, response: Response) -> None:
    """What the carrier's own ``check`` says, else what the status alone proves."""
    try:
        carrier.check(response)
    except ReplyError:
        if response.status < 400:
            raise
    except CarrierError as error:
        # These two statuses prove that nothing came of it, in whatever words the carrier wraps them.
        kind = _PROVEN.get(response.status)
        if kind is None or isinstance(error, kind):
            raise
        raise kind.of(
            response,
            carrier_code=error.carrier_code,
            carrier_message=error.carrier_message,
            request_id=error.request_id,
        ) from error
    except ShipkitError:
        raise
    except Exception as error:
        if response.status < 400:
            text = f"the plugin raised {type(error).__name__} on the reply @ $"
            raise ReplyError.of(response, message=text, paths=("$",)) from error
    if response.status < 300:
        return
    # A page of a gateway, mostly: it has no form of the carrier's that could say more.
    raise (UnavailableError if response.status >= 500 else _PROVEN.get(response.status, CarrierError)).of(response)
