"""Sentences of the delivery."""

from collector.texts.sentence import Text

OUTBOX_UNUSABLE = Text(
    "outbox.directory.unusable",
    "The outbox folder {path} cannot be used: {reason}.",
    'Make it usable for the user that runs collector, or set another folder: [outbox] directory = "…".',
)
OUTBOX_LOCKED = Text(
    "outbox.directory.locked",
    "Another collector is already using the outbox folder {path}.",
    "Stop the other one first (sudo systemctl stop collector), or set another folder under [outbox].",
)
OUTBOX_NO_PERMISSION = Text(
    "outbox.directory.no-permission",
    "The outbox may not read or write {path}.",
    "Was collector started as another user before? Give the folder back to the one that runs it: "
    "sudo chown -R collector: {folder}",
)
OUTBOX_DISK_FULL = Text(
    "outbox.disk.full",
    "The disk that holds {path} is full. The oldest unsent records are dropped to make room for new ones.",
    "Free some space on this disk, or lower [outbox] max_mib.",
)
OUTBOX_DISK_ERROR = Text(
    "outbox.disk.error",
    "The disk that holds {path} failed: {reason}.",
    "The SD card or disk may be worn out. Replace it soon; see the messages of: sudo dmesg",
)
OUTBOX_DISK_SILENT = Text(
    "outbox.disk.silent",
    "The disk that holds {path} has not answered for some seconds. New records stay in memory.",
    "If this comes again, the SD card or disk may be worn out: replace it. See the messages of: sudo dmesg",
)
OUTBOX_DISK_STOPPED = Text(
    "outbox.disk.stopped",
    "The part of collector that writes to the disk has stopped. This is a fault of the program.",
    "Restart it (sudo systemctl restart collector) and report the messages of: sudo journalctl -u collector",
)
