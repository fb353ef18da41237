"""What is told to the gateways after a commit: one receipt for each gateway and run; pure."""

from collections import defaultdict
from collections.abc import Iterable

from collector.messages import Receipt, Rejected, seq_ranges
from collector.store.arrivals import DeadLetter, Identity, Sender


def receipts(stored: Iterable[Identity], letters: Iterable[DeadLetter]) -> list[tuple[Sender, Receipt]]:
    """The receipts for records that are stored, also those that were before, and for dead letters.

    Of a record that conflicts with a stored one, as of any dead letter, it is said that it was rejected.
    """
    good: defaultdict[tuple[Sender, str], set[int]] = defaultdict(set)
    bad: defaultdict[tuple[Sender, str], dict[int, str]] = defaultdict(dict)
    for identity in stored:
        good[(identity.company, identity.gateway), identity.epoch].add(identity.seq)
    for letter in letters:
        if letter.identity is not None:
            run = (letter.identity.company, letter.identity.gateway), letter.identity.epoch
            bad[run][letter.identity.seq] = letter.reason
    return [
        (
            run[0],
            Receipt(
                epoch=run[1],
                stored=seq_ranges(good[run] - bad[run].keys()),
                rejected=[Rejected(seq=seq, reason=reason) for seq, reason in sorted(bad[run].items())],
            ),
        )
        for run in dict.fromkeys([*good, *bad])
    ]
