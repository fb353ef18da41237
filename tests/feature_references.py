"""Independent references of every row of the table of features, for one channel and one window at a time.

They use scipy where it has the figure, and the definition, term by term, where it has not. Nothing of the
product's features is imported.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt
from scipy import signal, stats

Array = npt.NDArray[np.float64]
GRAVITY = {"g": 9.80665, "m/s2": 1.0}


@dataclass(frozen=True)
class Case:
    """A window of one channel, and what it was computed with; bands in Hz."""

    x: Array
    unit: str
    rate_hz: float
    clip: float
    bands: tuple[tuple[float, float], ...]
    peaks: int
    velocity: tuple[float, float]
    envelope: tuple[float, float]
    envelope_peaks: int
    bearing: tuple[int, float, float, float]
    rotation_hz: float
    refined_hz: float
    teeth: int
    harmonics: int
    line_hz: float

    @property
    def n(self) -> int:
        return len(self.x)

    @cached_property
    def magnitude(self) -> Array:
        """|X| by the definition of the transform, in n² steps."""
        return magnitudes(self.x)

    @cached_property
    def density(self) -> tuple[Array, Array]:
        """Frequencies and the one-sided power spectral density."""
        f, p = signal.periodogram(self.x, self.rate_hz, window="hann", detrend="constant")
        return f, p

    @cached_property
    def envelope_magnitude(self) -> Array:
        """|X| of the envelope of the band."""
        spectrum = np.fft.rfft(self.x - self.x.mean())
        f = np.arange(len(spectrum)) * self.rate_hz / self.n
        spectrum[(f < self.envelope[0]) | (f > self.envelope[1])] = 0
        return magnitudes(np.abs(signal.hilbert(np.fft.irfft(spectrum, self.n))))


@cache
def _waves(n: int) -> npt.NDArray[np.complex128]:
    waves: npt.NDArray[np.complex128] = np.exp(
        -2j * np.pi * np.outer(np.arange(n // 2 + 1), np.arange(n)) / n
    )
    return waves


def magnitudes(x: Array) -> Array:
    """|X[k]| = |Σ (x - m) w e^(-2πikj/n)|."""
    return np.asarray(np.abs(_waves(len(x)) @ ((x - x.mean()) * signal.get_window("hann", len(x)))))


def _between(magnitude: Array, k: int, n: int) -> tuple[float, float]:
    """Place and amplitude of the tone that makes bin k the highest."""
    a, b, c = magnitude[k - 1 : k + 2]
    delta = 2 * (c - a) / (a + 2 * b + c)
    scallop = math.pi * delta * (1 - delta**2) / math.sin(math.pi * delta) if delta else 1.0
    return k + delta, 2 * b / signal.get_window("hann", n).sum() * scallop


def _tops(magnitude: Array, count: int) -> list[int]:
    tops = signal.find_peaks(magnitude)[0].tolist()
    return sorted(tops, key=lambda k: -magnitude[k])[:count]


def _line(magnitude: Array, n: int, at: float, radius: float) -> tuple[float, float, bool]:
    """Place, amplitude, and whether there is a peak, of the highest bin near a place (in bins)."""
    near = [k for k in range(1, len(magnitude) - 1) if abs(k - at) <= radius]
    k = max(near, key=lambda k: magnitude[k])
    if magnitude[k - 1] <= magnitude[k] >= magnitude[k + 1]:
        return *_between(magnitude, k, n), True
    return k, 2 * magnitude[k] / signal.get_window("hann", n).sum(), False


def _harmonic(case: Case, order: int) -> tuple[float, float, bool]:
    per_turn = case.rotation_hz * case.n / case.rate_hz
    at = order * per_turn
    return _line(case.magnitude, case.n, at, min(max(0.01 * at, 1), per_turn / 2 - 0.5))


def orders(case: Case) -> list[int]:
    """The orders that are looked for."""
    multiples = range(1, case.harmonics + 1)
    return [*multiples, *(case.teeth * multiple for multiple in multiples)]


def refined_hz(cases: list[Case]) -> float:
    """The speed by the lines: least squares, weighed by power over that of the family's strongest."""
    weights = places = 0.0
    for case in cases:
        for family in (orders(case)[: case.harmonics], orders(case)[case.harmonics :]):
            found = [(order, *_harmonic(case, order)) for order in family]
            strongest = max((amplitude for *_, amplitude, clear in found if clear), default=0.0)
            for order, at, amplitude, clear in found:
                if clear:
                    weights += (amplitude / strongest) ** 2 * order**2
                    places += (amplitude / strongest) ** 2 * order * at
    return places / weights * cases[0].rate_hz / cases[0].n


def _off(case: Case) -> list[int]:
    """The bins off all harmonics."""
    per_turn = case.refined_hz * case.n / case.rate_hz
    counted = range(max(1, math.ceil(per_turn / 2)), len(case.magnitude))
    return [k for k in counted if min(k % per_turn, per_turn - k % per_turn) > 1.5]


def _chatter(case: Case) -> float:
    first = max(1, math.ceil(case.refined_hz * case.n / case.rate_hz / 2))
    return float(sum(case.magnitude[k] ** 2 for k in _off(case)) / sum(case.magnitude[first:] ** 2))


def _chatter_line(case: Case) -> tuple[float, float]:
    off = _off(case)
    median = np.median([case.magnitude[k] ** 2 for k in off])
    k = max((k for k in off if k < len(case.magnitude) - 1), key=lambda k: case.magnitude[k])
    is_top = case.magnitude[k - 1] <= case.magnitude[k] >= case.magnitude[k + 1]
    at, amplitude = _between(case.magnitude, k, case.n)
    strongest = max(_harmonic(case, order)[1] for order in orders(case))
    if not is_top or case.magnitude[k] ** 2 <= 30 * median or amplitude < strongest / 4:
        return math.nan, math.nan
    return at * case.rate_hz / case.n, amplitude


def _shape(case: Case) -> dict[str, float]:
    f, density = case.density
    p = np.maximum(density, 1e-24 * density.max()) / density.sum()
    centroid = float((f * p).sum())
    return {
        "total_rms": float(np.sqrt(density.sum() * case.rate_hz / case.n)),
        "centroid": centroid,
        "spread": float(np.sqrt(((f - centroid) ** 2 * p).sum())),
        "rolloff": float(next(f[k] for k in range(len(p)) if p[: k + 1].sum() >= 0.85)),
        "entropy": float(stats.entropy(p) / math.log(len(p))),
        "flatness": float(stats.gmean(p) / p.mean()),
    }


def _kurtosis(case: Case) -> tuple[float, float]:
    """The largest spectral kurtosis and its frequency; segments of the largest power of two ≤ n / 32."""
    length = 2 ** int(math.log2(case.n / 32))
    window = signal.get_window("hann", length)
    x = case.x - case.x.mean()
    segments = [x[i : i + length] * window for i in range(0, case.n - length + 1, length)]
    found = []
    for k in range(1, length // 2):
        wave = np.exp(-2j * np.pi * k * np.arange(length) / length)
        power = [abs((segment * wave).sum()) ** 2 for segment in segments]
        found.append((float(np.mean(np.square(power)) / np.mean(power) ** 2 - 2), k * case.rate_hz / length))
    return max(found)


def _octaves(case: Case) -> list[float]:
    """Third-octave bands of four bins or more that end below half the rate."""
    f, density = case.density
    made = []
    for third in range(-60, 60):
        low, high = (1000 * 10 ** (0.3 * (third + side / 2) / 3) for side in (-1, 1))
        inside = (f >= low) & (f < high)
        if high <= case.rate_hz / 2 and inside.sum() >= 4:
            made.append(float(np.sqrt(density[inside].sum() * case.rate_hz / case.n)))
    return made


def _motion_bins(case: Case) -> npt.NDArray[np.bool_]:
    f, _ = case.density
    inside: npt.NDArray[np.bool_] = (f >= case.velocity[0]) & (
        f <= min(case.velocity[1], case.rate_hz / 2.56)
    )
    return inside


def _velocity(case: Case) -> float:
    f, density = case.density
    inside = _motion_bins(case)
    square = (density[inside] / (2 * np.pi * f[inside]) ** 2).sum() * case.rate_hz / case.n
    return float(1e3 * GRAVITY[case.unit] * np.sqrt(square))


def _displacement(case: Case) -> float:
    """The path, one cosine of the spectrum after the other, where the window is at least one half."""
    window = signal.get_window("hann", case.n)
    f, _ = case.density
    transform = _waves(case.n) @ ((case.x - case.x.mean()) * window)
    middle = np.arange(math.ceil(case.n / 4), case.n * 3 // 4 + 1)
    path = np.zeros(len(middle))
    for k in np.flatnonzero(_motion_bins(case)):
        wave = transform[k] * np.exp(2j * np.pi * k * middle / case.n)
        path -= 2 / case.n * wave.real / (2 * np.pi * f[k]) ** 2
    return float(1e6 * GRAVITY[case.unit] * np.ptp(path / window[middle]))


def _bearing(case: Case) -> list[float]:
    z, d, pitch, contact_deg = case.bearing
    q = d / pitch * math.cos(math.radians(contact_deg))
    made = []
    for order in (z / 2 * (1 - q), z / 2 * (1 + q), pitch / (2 * d) * (1 - q**2), (1 - q) / 2):
        at = order * case.refined_hz * case.n / case.rate_hz
        covered = 4 <= at <= len(case.envelope_magnitude) - 2
        radius = max(1.0, 0.01 * at)
        made.append(_line(case.envelope_magnitude, case.n, at, radius)[1] if covered else math.nan)
    return made


def _current_line(case: Case) -> tuple[float, float]:
    at = case.line_hz * case.n / case.rate_hz
    place, amplitude, clear = _line(case.magnitude, case.n, at, max(1.0, 0.03 * at))
    return (place, amplitude) if clear else (math.nan, math.nan)


def _thd(case: Case) -> float:
    place, amplitude = _current_line(case)
    places = [order * place for order in range(2, 41) if order * place <= len(case.magnitude) - 2]
    return math.hypot(*(_line(case.magnitude, case.n, at, 1.0)[1] for at in places)) / amplitude


def _sidebands(case: Case) -> list[float]:
    per_turn = case.refined_hz * case.n / case.rate_hz
    line = _current_line(case)[0]
    radius = max(1.0, 0.01 * per_turn)
    return [_line(case.magnitude, case.n, line + side * per_turn, radius)[1] for side in (-1, 1)]


def _peak(x: Array) -> float:
    return float(np.abs(x - x.mean()).max())


def _absolute(x: Array) -> float:
    return float(np.abs(x - x.mean()).mean())


def _peaks_of(magnitude: Array, count: int, case: Case, part: int) -> list[float]:
    found = [_between(magnitude, k, case.n) for k in _tops(magnitude, count)]
    return [pair[part] * (1.0 if part else case.rate_hz / case.n) for pair in found]


def _prominences(case: Case) -> list[float]:
    tops = _tops(case.magnitude, case.peaks)
    found = signal.peak_prominences(case.magnitude, tops)[0]
    made: list[float] = (2 / signal.get_window("hann", case.n).sum() * found).tolist()
    return made


def _band_rms(case: Case) -> list[float]:
    f, density = case.density
    inside = [(f >= low) & (f <= high) for low, high in case.bands]
    return [float(np.sqrt(density[band].sum() * case.rate_hz / case.n)) for band in inside]


REFERENCES: dict[str, Callable[[Case], float | list[float]]] = {
    "mean": lambda case: float(np.mean(case.x)),
    "rms": lambda case: float(stats.tstd(case.x, ddof=0)),
    "peak": lambda case: _peak(case.x),
    "p2p": lambda case: float(np.ptp(case.x)),
    "crest": lambda case: _peak(case.x) / float(case.x.std()),
    "kurtosis": lambda case: float(stats.kurtosis(case.x, fisher=False)),
    "skewness": lambda case: float(stats.skew(case.x)),
    "clipped": lambda case: float(sum(not -case.clip < value < case.clip for value in case.x.tolist())),
    "band_rms": _band_rms,
    "peaks.hz": lambda case: _peaks_of(case.magnitude, case.peaks, case, 0),
    "peaks.amplitude": lambda case: _peaks_of(case.magnitude, case.peaks, case, 1),
    "std": lambda case: float(stats.tstd(case.x)),
    "shape": lambda case: float(case.x.std()) / _absolute(case.x),
    "impulse": lambda case: _peak(case.x) / _absolute(case.x),
    "clearance": lambda case: _peak(case.x) / float(np.sqrt(np.abs(case.x - case.x.mean())).mean()) ** 2,
    "zero_crossings": lambda case: (
        sum(a != b for a, b in zip(case.x[1:] > case.x.mean(), case.x > case.x.mean(), strict=False))
        * case.rate_hz
        / (case.n - 1)
    ),
    "total_rms": lambda case: _shape(case)["total_rms"],
    "centroid": lambda case: _shape(case)["centroid"],
    "spread": lambda case: _shape(case)["spread"],
    "rolloff": lambda case: _shape(case)["rolloff"],
    "entropy": lambda case: _shape(case)["entropy"],
    "flatness": lambda case: _shape(case)["flatness"],
    "spectral_kurtosis": lambda case: _kurtosis(case)[0],
    "spectral_kurtosis_hz": lambda case: _kurtosis(case)[1],
    "peaks.prominence": _prominences,
    "octave_rms": _octaves,
    "velocity_rms": _velocity,
    "displacement_p2p": _displacement,
    "envelope_peaks.hz": lambda case: _peaks_of(case.envelope_magnitude, case.envelope_peaks, case, 0),
    "envelope_peaks.amplitude": lambda case: _peaks_of(case.envelope_magnitude, case.envelope_peaks, case, 1),
    "bearing": _bearing,
    "rotation": lambda case: [_harmonic(case, order)[1] for order in orders(case)[: case.harmonics]],
    "tooth_passing": lambda case: [_harmonic(case, order)[1] for order in orders(case)[case.harmonics :]],
    "chatter": _chatter,
    "chatter_hz": lambda case: _chatter_line(case)[0],
    "chatter_amplitude": lambda case: _chatter_line(case)[1],
    "line_hz": lambda case: _current_line(case)[0] * case.rate_hz / case.n,
    "line_rms": lambda case: _current_line(case)[1] / math.sqrt(2),
    "thd": _thd,
    "line_sidebands": _sidebands,
}
"""By the name of the row: what it must be."""
