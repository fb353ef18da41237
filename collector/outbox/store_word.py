"""What the group's store has said, and for how long nothing: patience, trust, and what it rejected. Pure.

While the store answers, much of the backlog may be on its way to it; while it does not, a little of the
backlog is sent now and then to see whether it is back, at ever longer intervals.
"""

from collections import Counter
from collections.abc import Iterable

from collector.outbox.state import Key

OVERTAKEN_S = 5.0
"""A receipt for a record that the broker had so much later: the older one was lost on the way."""
LEAST_TRUSTED, MOST_TRUSTED = 128, 4096
"""How many stored records may be sent and not receipted: at first and after silence, and at most."""
_CAREFUL = 16
"""After a loss it takes so many receipts to trust one record more: what the broker can queue is known now."""
_LONGEST_TIMEOUT_S = 600.0
_REMEMBERED = 1024
"""A record rejected twice counts once, as long as it is among the last so many."""
_REASONS = 16
_REST_S = 10.0
"""What is sent again is with the broker sooner, where it can be: else the store is not to blame."""


class StoreWord:
    """`timeout_s`: for how long a receipt is awaited; `trusted`: how many may wait for one."""

    def __init__(self, receipt_hold_s: float) -> None:
        # A record goes to disk first and is sent again later.
        self._first_timeout_s = 2 * receipt_hold_s
        self._rejected: dict[Key, None] = {}
        self._silent_since_s: float | None = None
        self._awaited_s = float("-inf")
        self._missed_s = float("-inf")
        self._careful = False
        self.timeout_s = self._first_timeout_s
        self.trusted = LEAST_TRUSTED
        self.rejected = 0
        self.reasons: Counter[str] = Counter()

    def sent(self, now_s: float) -> None:
        """A record is with the broker."""
        if self._silent_since_s is None:
            self._silent_since_s = now_s

    def look(self, now_s: float, *, awaited: bool) -> None:
        """Whether records await a receipt; where none has for a while, the store is not silent."""
        if awaited:
            self._awaited_s = now_s
        elif now_s - self._awaited_s > _REST_S:
            self._silent_since_s = None

    def unheard(self) -> None:
        """The broker is away: the store may speak, and nobody hears it."""
        self._silent_since_s = None

    def spoke(self, now_s: float, receipted: int, *, awaited: bool) -> None:
        """A receipt came, for so many records that awaited it; `awaited`: there are more that do."""
        self.timeout_s = self._first_timeout_s
        growth = receipted // _CAREFUL if self._careful else receipted
        self.trusted = min(MOST_TRUSTED, self.trusted + growth)
        self._silent_since_s = now_s if awaited else None

    def missed(self, now_s: float) -> None:
        """No receipt came in time: wait longer, and trust less.

        What went out together is missed bit by bit. That is one silence, not many: else the wait would have
        grown to its longest before a single record was sent again.
        """
        if now_s - self._missed_s < self.timeout_s:
            return
        self._missed_s = now_s
        self.timeout_s = max(self._first_timeout_s, min(2 * self.timeout_s, _LONGEST_TIMEOUT_S))
        self.trust_less()

    def trust_less(self) -> None:
        """Records were lost between broker and store."""
        self._careful = self.trusted > LEAST_TRUSTED
        self.trusted = max(LEAST_TRUSTED, self.trusted // 2)

    def reject(self, epoch: str, rejected: Iterable[tuple[int, str]]) -> None:
        """Count records that the store will never take, by number and reason."""
        for seq, reason in rejected:
            if (epoch, seq) in self._rejected:
                continue
            self._rejected[epoch, seq] = None
            self.rejected += 1
            if reason in self.reasons or len(self.reasons) < _REASONS:
                self.reasons[reason] += 1
            if len(self._rejected) > _REMEMBERED:
                del self._rejected[next(iter(self._rejected))]

    def silent_s(self, now_s: float) -> float:
        """For how long something has been awaited and no receipt came."""
        return 0.0 if self._silent_since_s is None else now_s - self._silent_since_s
