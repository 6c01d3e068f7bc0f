"""Outgoing webhooks: a CloudEvent per POST, signed after Standard Webhooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from ..client.addresses import is_private_on_the_way
from ..client.clock import seconds, utc_now
from ..client.transport import SyncTransport
from ..errors import DeadlineError, InputError, NotSentError, OutcomeUnknownError, ReplyError
from ..flow import Headers, Request, Response, Transmit
from ..model import Problem, ProblemCode
from ..ports.events import Outgoing, Unsent
from ..settings import Settings
from ..webhooks.standard import sign
from .messages import BEHIND, CONTENT_TYPE, UNCONFIRMED, Forks, Message, in_waves, later, unavailable, where

__all__ = ["HttpWebhook"]

_ANSWER_MAX_BYTES: Final = 65_536
_IN_A_ROW: Final = 3
"""So many that failed one after another, and the rest of the batch is left for later."""


class HttpWebhook:
    """Posts each announcement to *url*, signed with every one of *secrets* (``whsec_…``), so that they can be changed.

    A 2xx is "taken". A 408, 425, 429 or 5xx, or no answer within *timeout_s*, is "later": after ``Retry-After`` where
    the answer names one, and never given up. Any other answer is a refusal, a redirection too. Addresses are https,
    or of this machine.

    Raises:
        InputError: the address is neither, or has a user in it; or a secret is not one.
    """

    kind = "http"

    def __init__(
        self,
        url: str,
        secrets: str | Sequence[str],
        *,
        timeout_s: float = 15,
        settings: Settings | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        if not is_private_on_the_way(url):
            text = "is neither https nor http on this machine, or has a user or a fragment in it"
            raise InputError(problems=(Problem(path="/url", code=ProblemCode.MALFORMED, text=text),))
        self._url, self._timeout_s, self._now = url, timeout_s, now
        self._secrets = (secrets,) if isinstance(secrets, str) else tuple(secrets)
        sign("check", now(), b"", self._secrets)  # else every announcement were refused, one by one
        given = settings or Settings()
        self._wire = Settings(
            body_max_bytes=_ANSWER_MAX_BYTES,
            connect_timeout_s=min(given.connect_timeout_s, timeout_s),
            proxy=given.proxy,
            ca_file=given.ca_file,
        )
        self._transport, self._forks = SyncTransport(self._wire), Forks()
        self._place = where(url, 443 if url[:6].lower() == "https:" else 80)
        self._not_before, self._hold_max_s = 0.0, given.hold_max_s

    def publish(self, batch: Sequence[Outgoing]) -> tuple[Unsent, ...]:
        """Post *batch*, one after another; see `shipkit.ports.publishing.Publisher`.

        Raises:
            UnavailableError: no connection, or the time that the destination asked for is not over.
        """
        self._mind_forks()
        left_s = self._not_before - seconds()
        if left_s > 0:
            raise unavailable(self.kind, self._place, "asked for later", retry_after_s=int(left_s) + 1)
        return in_waves(batch, self._send)

    def close(self) -> None:
        """Close the connections."""
        self._mind_forks()
        self._transport.close()

    def _mind_forks(self) -> None:
        if self._forks.is_child(self._transport):
            self._transport = SyncTransport(self._wire)

    def _send(self, wave: Sequence[Message]) -> Mapping[int, str]:
        errors: dict[int, str] = {}
        failed = 0
        for index, message in enumerate(wave):
            if failed >= _IN_A_ROW or self._not_before > seconds():
                errors.update((rest.number, BEHIND) for rest in wave[index:])
                break
            try:
                error = self._posted(message)
            except (NotSentError, DeadlineError) as nothing_left:
                if not index:
                    raise unavailable(self.kind, self._place, nothing_left) from None
                errors.update((rest.number, UNCONFIRMED) for rest in wave[index:])
                break
            failed = failed + 1 if error else 0
            if error:
                errors[message.number] = error
        return errors

    def _posted(self, message: Message) -> str:
        signed = sign(message.id, self._now(), message.body, self._secrets)
        headers = Headers([("Content-Type", f"{CONTENT_TYPE}; charset=utf-8"), *signed.items()])
        request = Request(
            method="POST", url=self._url, headers=headers, content=message.body, replayable=True, name="webhook"
        )
        try:
            answer = self._transport.send(Transmit(request=request, until=seconds() + self._timeout_s))
        except OutcomeUnknownError:
            return later("no_answer")
        except ReplyError:
            return "refused_long_answer"
        return self._judged(answer)

    def _judged(self, answer: Response) -> str:
        status = answer.status
        if 200 <= status < 300:
            return ""
        if status in (408, 425, 429) or status >= 500:
            if status in (429, 503) and answer.retry_after_s:
                self._not_before = seconds() + min(answer.retry_after_s, self._hold_max_s)
            return later(str(status))
        return f"refused_{status}"
