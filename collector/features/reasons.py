"""Why a feature is null for all channels of a window, where the samples are not the reason."""

from enum import StrEnum


class Reason(StrEnum):
    """A reason by its code in records; the sentences stand in `REASONS`."""

    SPEED_NOT_CONFIGURED = "speed-not-configured"
    SPEED_UNKNOWN = "speed-unknown"
    SPEED_STALE = "speed-stale"
    SPEED_VARIES = "speed-varies"
    STANDSTILL = "standstill"
    TOOL_UNKNOWN = "tool-unknown"
    TEETH_UNKNOWN = "teeth-unknown"
    UNRESOLVABLE = "unresolvable"
    NOT_COVERED = "not-covered"
    STRETCH_OPEN = "stretch-open"


REASONS: dict[Reason, str] = {
    Reason.SPEED_NOT_CONFIGURED: "No point of a controller is known to be the spindle's speed.",
    Reason.SPEED_UNKNOWN: "The controller gave no good value of the speed.",
    Reason.SPEED_STALE: "Nobody vouched for the speed within the limit.",
    Reason.SPEED_VARIES: "The speed changed by more than 1 % inside the window.",
    Reason.STANDSTILL: "The spindle did not turn.",
    Reason.TOOL_UNKNOWN: "No good value of the tool's number is known, or it changed inside the window.",
    Reason.TEETH_UNKNOWN: "The tool table has no teeth for this tool.",
    Reason.UNRESOLVABLE: "Lines would be less than four bins apart: the window is too short for this speed.",
    Reason.NOT_COVERED: "The sampling rate or the windows do not cover what is needed.",
    Reason.STRETCH_OPEN: "The longer stretch of samples that this needs does not end with this window.",
}
"""What each reason means."""
