"""The record of one window: its features, and what the machine was doing meanwhile."""

from typing import Annotated, Literal

from pydantic import Field

from collector.messages.envelope import Envelope, Number, Wire
from collector.points import PointQuality
from collector.samples import RateState


class Peak(Wire):
    """A spectral peak."""

    hz: Number
    """Frequency in Hz."""
    amplitude: Number
    """Amplitude (half of peak to peak of the sinusoid) in the channel's unit."""
    prominence: Number | None = None
    """How far it stands out of the valleys beside it; null where that is not computed."""


# Number stands first: pydantic tries them in this order, and nearly all values are numbers.
ChannelValues = dict[str, Number | int | dict[str, Number | None] | list[Peak] | None]
"""Values of one channel by feature name; null means undefined, as the feature's definition says when."""


class _PointContext(Wire):
    """What a point of a controller was during a window, by when the gateway received its readings."""

    quality: PointQuality
    """Of `last`, at the window's end: `bad` means no value, `stale` not vouched for within the limit."""
    changes: int | None
    """How often a good reading brought another value inside the window; null if that is no longer known. A
    window that adjoins the one before reaches back to its last sample, so that no change falls between."""
    changed_s: Number | None
    """Seconds from the last such change to the window's end; since first seen, if it never changed."""
    vouched_s: Number | None
    """Seconds since the controller last said so (read, or known to be unchanged), at the window's end."""
    source_us: int | None
    """The controller's own UTC stamp of `last`, in microseconds; null where it gives none."""
    offset_us: int | None
    """The gateway's UTC minus the controller's, estimated; with the delay of reading in it."""


class ContextNumber(_PointContext):
    """A measured quantity during a window."""

    kind: Literal["number"] = "number"
    last: Number | None
    """The value at the window's end; null if there was no usable one, or none is known yet."""
    min: Number | None
    """The smallest good value that held inside the window, the one at its start included if it was good and
    not stale there; null without one, and where the window began before the point was first heard of."""
    max: Number | None
    """The largest such value."""
    unit: str
    """UCUM code; empty where it has none."""


class ContextState(_PointContext):
    """A state or a text during a window."""

    kind: Literal["state", "text"]
    last: str | bool | None
    """The value at the window's end: a name, a flag, or a pseudonym where meta says so; of a number to
    which the configuration gives no name, its digits; null if unknown."""


ContextValue = Annotated[ContextNumber | ContextState, Field(discriminator="kind")]


class Spindle(Wire):
    """How the spindle turned during a window, as far as features were computed by it."""

    rpm: Number
    """Turns a minute, in either direction: the middle of `min` and `max` that the controller said."""
    refined_rpm: Number | None
    """The speed that the lines of the spectrum show: of those of `rotation` and `tooth_passing` that are
    peaks, in all channels, at f Hz and h times the rotation, Σ w f over Σ w h, times 60, with w = h
    (amplitude over the largest of the same feature in the channel)². It is `rpm` without such a line, and
    null where they were not looked for."""
    tool: int | None
    """The number of the tool in the spindle; null if it is not known."""
    teeth: int | None
    """The tool's cutting edges, from the tool table; null if they are not known."""


class VelocityBand(Wire):
    """What velocity and displacement of a window are really about."""

    low_hz: Number
    """The lowest bin that is in it."""
    high_hz: Number
    """The highest bin that is in it."""
    n: int
    """So many samples, up to the end of the window: more than a window's where that is too short."""


class Features(Envelope):
    """The features of one window."""

    kind: Literal["features"] = "features"
    first: int
    """Index of the window's first sample since the start of the epoch."""
    n: int
    """The window's length in samples."""
    hop: int
    """The distance to the next window's start in samples, where no gap comes between."""
    rate_hz: Number
    """The sample rate that sets the frequency axis of this record."""
    rate_state: RateState
    """Where `rate_hz` comes from: `nominal` and `settling` mean the configured rate."""
    measured_hz: Number | None
    """The measured rate as it stands; null before anything was measured."""
    lost: int
    """Samples lost between the previous window and this one."""
    clipped: int
    """Samples at the sensor's limit, over all channels."""
    quality: list[str]
    """Flags of the window; empty when nothing is wrong. Defined in meta."""
    channels: dict[str, ChannelValues]
    """The values by channel."""
    context: dict[str, ContextValue] = Field(default_factory=dict)
    """What the machine was doing, by `controller/point`; empty where no controller is configured."""
    nulls: dict[str, str] = Field(default_factory=dict)
    """Why a feature is null for all channels, by its name, where the samples are not why; defined in meta.
    A part that is null alone, such as a multiple beyond half the rate, has no reason here."""
    spindle: Spindle | None = None
    """How the spindle turned; null where its speed may not be used, which `nulls` explains."""
    velocity: VelocityBand | None = None
    """What velocity and displacement are about; null where there are none."""
