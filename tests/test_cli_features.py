"""`collector features`: every row of the table is listed, and what each stream has of it."""

import json
from pathlib import Path

from commands import typed
from test_config_controllers import MACHINE

from collector.cli import app
from collector.features import FEATURES

MORE = """
[[waveforms]]
name = "motor"
channels = [{ name = "i", unit = "A" }, { name = "x", unit = "g" }]
window = { samples = 256 }
features = { groups = ["current", "velocity"] }
source = { kind = "simulated", rate_hz = 6400 }
"""


def features(folder: Path, *arguments: str, code: int = 0) -> str:
    (folder / "machines").mkdir(exist_ok=True)
    (folder / "machines" / "mill-1.toml").write_text(MACHINE + MORE, encoding="utf-8")
    main = '[gateway]\ncompany = "works"\nname = "gw"\n[broker]\nhost = "localhost"\n'
    (folder / "collector.toml").write_text(main, encoding="utf-8")
    exit_code, output = typed(app, "features", "--config", str(folder), *arguments)
    assert exit_code == code, output
    return output


def test_every_feature_is_listed_with_what_each_stream_has(tmp_path: Path) -> None:
    lines = features(tmp_path).splitlines()
    rows = {line.split()[0]: line.split() for line in lines if line.startswith("  ") and line.strip()}
    assert [name for name in rows if name != "feature"] == [feature.name for feature in FEATURES]
    assert rows["rms"][-2:] == ["all", "all"]
    assert rows["thd"] == ["thd", "current", "1", "i"]
    assert rows["velocity_rms"] == ["velocity_rms", "velocity", "mm/s", "all", "x"]
    assert rows["bearing"] == ["bearing", "envelope", "same"]
    assert "[waveforms.features]" in lines[-1]


def test_one_stream_is_listed_with_what_its_features_mean(tmp_path: Path) -> None:
    output = features(tmp_path, "mill-1/motor")
    assert "mill-1/spindle" not in output
    assert "Total harmonic distortion" in output
    whole = features(tmp_path, "mill-1")
    assert {"mill-1/spindle", "mill-1/motor"} <= set(whole.split())
    assert "Total harmonic distortion" in whole


def test_for_programs_the_definitions_are_json(tmp_path: Path) -> None:
    found = json.loads(features(tmp_path, "--json"))
    assert found.keys() == {"mill-1/spindle", "mill-1/motor"}
    current = {entry["name"]: entry for entry in found["mill-1/motor"]["i"]}
    assert "velocity_rms" not in current
    assert current["line_rms"]["unit"] == "A"


def test_an_unknown_stream_is_told(tmp_path: Path) -> None:
    assert typed(app, "features", "--config", str(tmp_path / "nowhere"))[0] == 2
    assert "mill-1/motor" in features(tmp_path, "mill-1/plc", code=2)
