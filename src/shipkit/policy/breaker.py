"""The breaker of one operation of one account: pure state over the runner's seconds."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

__all__ = ["Breaker"]


class Breaker:
    """Opens after ``failures`` within ``window_s``; after ``open_s`` one probe decides. *lock* keeps threads apart."""

    def __init__(
        self, failures: int, window_s: float, open_s: float, lock: AbstractContextManager[object] | None = None
    ) -> None:
        self._limit, self._window_s, self._open_s = failures, window_s, open_s
        self._lock = lock if lock is not None else nullcontext()
        self._failed_at: list[float] = []
        self._open_until: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether nothing but a probe passes."""
        return self._open_until is not None

    def wait_s(self, at: float) -> float:
        """Seconds until a request may pass; 0 lets this one through (the probe pushes the next one back)."""
        if self._open_until is None:
            return 0.0
        with self._lock:
            left_s = max(0.0, (self._open_until or at) - at)  # another thread may have closed it
            if left_s == 0 and self._open_until is not None:
                self._open_until = at + self._open_s
            return left_s

    def succeeded(self) -> bool:
        """The carrier answered; True when that closed the breaker."""
        if not self._failed_at and self._open_until is None:
            return False
        with self._lock:
            closed = self._open_until is not None
            self._failed_at.clear()
            self._open_until = None
            return closed

    def failed(self, at: float, probe: bool = False) -> bool:
        """The carrier was down or silent; True when that opened the breaker.

        While it is open only the *probe* says anything new: others were sent before it opened.
        """
        with self._lock:
            self._failed_at = [moment for moment in self._failed_at if at - moment < self._window_s] + [at]
            if self._open_until is not None:
                if probe:
                    self._open_until = at + self._open_s
                return False
            if len(self._failed_at) < self._limit:
                return False
            self._open_until = at + self._open_s
            return True

    def withdrawn(self) -> None:
        """The probe was not sent, or nobody waited for its answer: the next request is the probe."""
        with self._lock:
            if self._open_until is not None:
                self._open_until = float("-inf")
