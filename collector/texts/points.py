"""Sentences about controllers and meters, their points, and what of them is shared."""

from collector.texts.sentence import Text

SILENT = Text(
    "source.points.silent",
    "The controller said nothing for {seconds} s.",
    "It is connected anew by itself. If it stays so, check that it is on, and the network or cable to it.",
)
ENDED = Text(
    "source.points.ended",
    "The controller ended the connection.",
    "It is connected anew by itself. If it comes again and again, check the controller and its clients.",
)
UNEXPECTED = Text(
    "source.points.unexpected",
    "Reading the controller failed in an unexpected way ({kind}).",
    "It is tried again by itself. Please report this with the log: journalctl -u collector",
)
POINTS_BAD = Text(
    "source.points.bad",
    "No usable value of {names} ({count} of {points} points).",
    "`collector test {source}` shows why. Check their addresses, and whether the device behind them is on.",
)
POINTS_STALE = Text(
    "source.points.stale",
    "No news for too long of {names} ({count} of {points} points).",
    "`collector test {source}` shows them. Check whether the device behind them is on, and stale_after_s.",
)
POINTS_UNCERTAIN = Text(
    "source.points.uncertain",
    "The controller itself doubts {names} ({count} of {points} points).",
    "`collector test {source}` shows them. A sensor or drive of the machine may be off, or not referenced.",
)
KEY_UNUSABLE = Text(
    "source.points.key-unusable",
    "The key for pseudonyms in {file} cannot be read or made: {reason}.",
    "Check sharing.key_file, and that the user collector may read that file. Until then nothing of this "
    "controller leaves.",
)
KEY_DAMAGED = Text(
    "source.points.key-damaged",
    "The file {file} is no key for pseudonyms.",
    "Copy pseudonym.key from the other gateway once more. If it was this gateway's own, delete it: a new one "
    "is made, and all pseudonyms become others.",
)
