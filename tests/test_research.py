"""Reading back: data frames with what their columns mean, what is missing, and records as they come."""

import asyncio
import contextlib
import json
import subprocess
import sys
import warnings
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from servers import Mosquitto
from store_records import CONTENT, DEFINITION, META, ROOT, T0_US, Gateway, arrivals

from collector.errors import BrokerError, CollectorError, UsageError
from collector.messages import Message, meta_hash
from collector.mqtt import BrokerSettings, Connection
from collector.research import Live, gaps, load, load_state, subscribe
from collector.research.archive import open_archive
from collector.research.rows import Selection
from collector.store.databases import open_sink, reading
from collector.store.settings import PostgresqlSettings, SqliteSettings
from collector.store.snapshot import Extent, Format, export
from collector.store.storing import store
from collector.times import moment, moment_us
from collector.toml.problems import ConfigError

T0 = datetime.fromtimestamp(T0_US // 1_000_000, UTC)
SECOND_US = 1_000_000
ALWAYS = Extent(0, 2 * T0_US)


def where(sink: SqliteSettings | PostgresqlSettings) -> str:
    return str(sink.file) if isinstance(sink, SqliteSettings) else sink.url


def keep(sink: SqliteSettings | PostgresqlSettings, messages: list[Message]) -> str:
    with contextlib.closing(open_sink(sink)) as opened:
        store(opened, arrivals(messages), ROOT)
    return where(sink)


def test_a_row_for_each_window_between_two_times(sink_settings: SqliteSettings | PostgresqlSettings) -> None:
    gateway, other = Gateway(), Gateway("rival")
    place = keep(
        sink_settings, [gateway.meta(), *(g.features() for _ in range(10) for g in (gateway, other))]
    )
    frame = load("works", "mill-1", "spindle", where=place)
    assert list(frame["first"]) == [512 * n for n in range(10)]
    assert list(frame["t"]) == [T0 + timedelta(microseconds=80_000 * n) for n in range(10)]
    assert list(frame["x.rms"]) == [0.1 + n / 3 for n in range(10)]
    some = load("works", "mill-1", "spindle", moment(T0_US + 160_000), "2026-09-21T14:13:20.4", where=place)
    assert list(some["first"]) == [1024, 1536, 2048]
    assert len(load("works", "mill-1", "spindle", date(2026, 9, 22), where=place)) == 0


def test_a_stretch_without_records_has_the_columns_that_every_record_has(
    sink_settings: SqliteSettings | PostgresqlSettings,
) -> None:
    place = keep(sink_settings, [Gateway().features()])
    for kind in ("pandas", "polars"):
        whole = load("works", "mill-1", "spindle", where=place, frame=kind)
        empty = load("works", "mill-1", "spindle", "2030-01-01", where=place, frame=kind)
        assert list(empty.columns) == ["t", "gateway", "epoch", "seq", "sync", "meta"]
        assert (len(empty), empty["t"].dtype) == (0, whole["t"].dtype)


@pytest.mark.parametrize("form", ["database", "csv", "parquet"])
def test_a_wrong_name_does_not_look_like_a_stream_without_data(
    sink_settings: SqliteSettings | PostgresqlSettings, tmp_path: Path, form: Any
) -> None:
    place = keep(sink_settings, [Gateway().features(), Gateway().summary(), Gateway("rival").features()])
    if form != "database":
        with reading(sink_settings) as reader:
            export(reader, ALWAYS, tmp_path / "snapshot", form)
        place = str(tmp_path / "snapshot")
    for names in (
        ("work", "mill-1", "spindle"),
        ("works", "mill1", "spindle"),
        ("works", "mill-1", "spindel"),
    ):
        for ask in (load, gaps):
            with pytest.raises(CollectorError) as error:
                ask(*names, where=place)
            assert str(error.value) == f"There is no stream {'/'.join(names)}."
            (advice,) = error.value.__notes__
            assert advice.startswith("The names most like it are: works/mill-1/spindle,"), advice
            assert "rival/mill-1/spindle" in advice


def test_times_that_are_none_and_an_end_before_the_beginning(tmp_path: Path) -> None:
    place = keep(SqliteSettings(file=tmp_path / "s"), [Gateway().features()])
    wrong: list[tuple[Any, Any, str]] = [
        ("1.11.2026", None, "1.11.2026 is no time."),
        (1_795_710_862, None, "1795710862 is no time."),
        ("2026-11-02", "2026-11-01", "There is no time from 2026-11-02 to 2026-11-01."),
        (
            "2026-11-02T09:00+09:00",
            "2026-11-02",
            "There is no time from 2026-11-02T09:00+09:00 to 2026-11-02.",
        ),
    ]
    for start, end, expected in wrong:
        for ask in (load, gaps):
            with pytest.raises(CollectorError) as error:
                ask("works", "mill-1", "spindle", start, end, where=place)
            assert str(error.value) == expected


def test_one_feature_may_be_named_without_a_list(tmp_path: Path) -> None:
    place = keep(SqliteSettings(file=tmp_path / "s"), [Gateway().features()])
    one, listed = (load("works", "mill-1", "spindle", features=f, where=place) for f in ("rms", ["rms"]))
    assert list(one) == list(listed)
    assert "x.rms" in one


def test_where_nothing_says_what_to_read_the_error_itself_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, default = (
        keep(SqliteSettings(file=tmp_path / "s"), [Gateway().features()]),
        tmp_path / "store.toml",
    )
    monkeypatch.delenv("COLLECTOR_STORE", raising=False)
    monkeypatch.setattr("collector.research.archive.DEFAULT_FILE", default)
    for ask in (load, gaps):
        with pytest.raises(UsageError, match=f"there is no {default}") as error:
            ask("works", "mill-1", "spindle")
        assert "where=" in error.value.sentence.advice
    default.write_text(f'[broker]\nhost = "localhost"\n[sink]\nkind = "sqlite"\nfile = "{place}"\n')
    assert len(load("works", "mill-1", "spindle")) == 1


def test_who_calls_from_python_reads_every_mistake_of_a_store_toml(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load("works", "mill-1", "spindle", where=tmp_path / "store.toml")
    assert any("store.toml" in note for note in error.value.__notes__)


async def test_a_kind_that_does_not_exist_is_not_waited_for() -> None:
    with pytest.raises(CollectorError, match="feature is no kind of record"):
        await anext(subscribe(BrokerSettings(host="localhost"), "researcher", kind="feature"))


def test_a_row_tells_its_velocity_band_and_spindle_and_why_values_are_null(
    sink_settings: SqliteSettings | PostgresqlSettings,
) -> None:
    gateway = Gateway()
    spindle = {"rpm": 6000.0, "refined_rpm": None, "tool": 3, "teeth": 4}
    velocity = {"low_hz": 12.5, "high_hz": 1000.0, "n": 8192}
    nulls = {"velocity_rms": "stretch-open", "chatter": "speed-stale"}
    place = keep(
        sink_settings, [gateway.features(nulls=nulls), gateway.features(spindle=spindle, velocity=velocity)]
    )
    frame = load("works", "mill-1", "spindle", where=place)
    assert list(frame["nulls.velocity_rms"].dropna()) == ["stretch-open"]
    assert list(frame["velocity.low_hz"].dropna()) == [12.5]
    assert list(frame["spindle.teeth"].dropna()) == [4]
    assert (frame.attrs["units"]["velocity.high_hz"], frame.attrs["units"]["spindle.rpm"]) == ("Hz", "/min")
    some = load("works", "mill-1", "spindle", features=["rms", "chatter"], where=place)
    assert [name for name in some if name.startswith("nulls.")] == ["nulls.chatter"]


def test_what_columns_mean_is_attached(sink_settings: SqliteSettings | PostgresqlSettings) -> None:
    gateway = Gateway()
    newer = CONTENT.model_copy(update={"machine": {"name": "mill-1", "model": "new"}})
    speed = {"kind": "number", "last": 6000.0, "min": 6000.0, "max": 6000.0, "unit": "{rpm}", "changes": 0}
    said = {"quality": "good", "changed_s": 1.0, "vouched_s": 0.5, "source_us": None, "offset_us": None}
    context = {"plc/speed": speed | said}
    window = gateway.features(context=context)
    place = keep(sink_settings, [gateway.meta(), window, gateway.meta(newer), gateway.features()])
    frame = load("works", "mill-1", "spindle", where=place)
    assert frame.attrs["units"] == {"x.rms": "g", "rate_hz": "Hz"}
    assert frame.attrs["definitions"]["rms"]["definition"] == "Root mean square."
    assert frame.attrs["meta"][meta_hash(newer)]["machine"]["model"] == "new"
    assert list(frame["meta"]) == [META, META]
    assert frame["plc/speed"].iloc[0] == 6000.0
    assert frame["plc/speed.quality"].iloc[0] == "good"
    assert frame["plc/speed"].isna().iloc[1]


def test_a_unit_that_changed_is_not_told_as_one(
    sink_settings: SqliteSettings | PostgresqlSettings, tmp_path: Path
) -> None:
    """The descriptions come in an order that is not that of their hashes, nor that of the alphabet."""
    channel = {"name": "x", "unit": "m/s2", "ucum": "m/s2"}
    metric = {"channels": [channel], "features": {"m/s2": [DEFINITION | {"unit": "m/s2"}]}}
    newer = {"features": {"g": [DEFINITION | {"version": 2}]}}
    contents = [CONTENT, CONTENT.model_copy(update=metric), CONTENT.model_copy(update=newer)]
    gateway = Gateway()
    for number, order in enumerate(((0, 1), (1, 0), (0, 2), (0, 0))):
        made = [gateway.features(made_under=contents[which]) for which in order]
        messages = [gateway.meta(content) for content in contents] + made
        machine = f"mill-{number}"
        moved = [message._replace(topic=message.topic.replace("mill-1", machine)) for message in messages]
        for place in places(sink_settings, moved, tmp_path / machine):
            units = {meta_hash(contents[which]): contents[which].channels[0]["unit"] for which in order}
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                frame = load("works", machine, "spindle", where=place)
            said, conflicts = [str(warning.message) for warning in warned], frame.attrs["conflicts"]
            if order == (0, 0):
                assert (said, conflicts) == ([], {"units": {}, "definitions": {}})
                assert frame.attrs["definitions"]["rms"] == DEFINITION
                continue
            assert list(conflicts["definitions"]["rms"]) == list(units)
            assert "rms" not in frame.attrs["definitions"]
            if 2 in order:
                assert frame.attrs["units"]["x.rms"] == "g"
                assert [line[:50] for line in said] == ["Not all rows are by the same definition: rms. Go b"]
            else:
                assert "x.rms" not in frame.attrs["units"]
                assert conflicts["units"] == {"x.rms": units}
                assert said[0].startswith(
                    f"Not all rows are in the same unit: x.rms ({', '.join(units.values())})."
                )
                in_g = frame[frame["meta"].map(conflicts["units"]["x.rms"]) == "g"]
                assert list(in_g["meta"]) == [META]
            with warnings.catch_warnings():  # a feature that is not loaded is no reason for a warning
                warnings.simplefilter("error")
                load("works", machine, "spindle", features=["crest"], where=place)


def test_only_some_features(sink_settings: SqliteSettings | PostgresqlSettings) -> None:
    gateway = Gateway()
    place = keep(sink_settings, [gateway.meta(), gateway.features()])
    frame = load("works", "mill-1", "spindle", features=["rms", "band_rms"], where=place)
    assert [name for name in frame if name.startswith("x.")] == [
        "x.rms",
        "x.band_rms.10-100",
        "x.band_rms.100-200",
    ]
    with pytest.raises(CollectorError) as error:
        load("works", "mill-1", "spindle", features=["rsm"], where=place)
    assert "rsm" in str(error.value)
    assert "rms" in error.value.sentence.advice


def test_summaries_of_a_controller(sink_settings: SqliteSettings | PostgresqlSettings) -> None:
    gateway = Gateway()
    frame = load("works", "mill-1", "plc", where=keep(sink_settings, [gateway.summary(), gateway.change()]))
    assert len(frame) == 1
    assert frame["spindle-speed.mean"].iloc[0] == 6000.0
    assert frame["mode.last"].iloc[0] == "cutting"


def test_polars_gives_the_same_rows(tmp_path: Path) -> None:
    gateway = Gateway()
    place = keep(
        SqliteSettings(file=tmp_path / "s"), [gateway.meta(), *(gateway.features() for _ in range(5))]
    )
    pandas = load("works", "mill-1", "spindle", where=place, frame="pandas")
    polars = load("works", "mill-1", "spindle", where=place, frame="polars")
    assert polars.columns == list(pandas.columns)
    assert polars["x.rms"].to_list() == list(pandas["x.rms"])
    assert polars["t"].to_list() == list(pandas["t"])
    assert polars.attrs == pandas.attrs


@pytest.mark.parametrize("form", ["database", "csv"])
def test_what_a_machine_did(
    sink_settings: SqliteSettings | PostgresqlSettings, tmp_path: Path, form: str
) -> None:
    gateway = Gateway()
    place = keep(
        sink_settings,
        [gateway.features(), gateway.state(), gateway.cut(), gateway.utilisation(), gateway.cut()],
    )
    if form == "csv":
        with reading(sink_settings) as reader:
            export(reader, Extent(0, 2 * T0_US), tmp_path / "snapshot", "csv")
        place = str(tmp_path / "snapshot")
    for kind in ("pandas", "polars"):
        cuts = load_state("works", "mill-1", "cut", where=place, frame=kind)
        assert list(cuts["duration_s"]) == [4.0, 4.0]
        assert cuts["waveforms.spindle.channels.x.rms.max"][0] == 0.7
        assert cuts["context.plc/tool.values"][0] == '["T1"]'
        assert cuts.attrs["units"] == {"duration_s": "s"}
        (idle,) = load_state("works", "mill-1", "utilisation", where=place, frame=kind)["seconds.idle"]
        assert idle == 3596.0
        changes = load_state("works", "mill-1", "state", where=place, frame=kind)
        assert (changes["previous"][0], changes["state"][0]) == ("idle", "cutting")
    assert len(load_state("works", "mill-1", "cut", "2030-01-01", where=place)) == 0
    with pytest.raises(CollectorError, match="There is no stream works/mill-2/state"):
        load_state("works", "mill-2", "cut", where=place)
    wrong: Any = "cuts"
    with pytest.raises(UsageError, match="cuts is no kind of record"):
        load_state("works", "mill-1", wrong, where=place)


def test_a_state_does_not_look_like_a_stream_without_data(tmp_path: Path) -> None:
    place = keep(SqliteSettings(file=tmp_path / "s"), [Gateway().cut()])
    with pytest.raises(UsageError, match="has no windows and no summaries") as error:
        load("works", "mill-1", "state", where=place)
    assert 'load_state("works", "mill-1", "cut")' in error.value.sentence.advice


def test_a_frame_that_cannot_be_made_is_told_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = keep(SqliteSettings(file=tmp_path / "s"), [Gateway().features()])
    wrong: Any = "arrow"
    with pytest.raises(UsageError, match="There is no frame arrow"):
        load("works", "mill-1", "spindle", where=place, frame=wrong)
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(CollectorError, match="polars is not installed") as error:
        load("works", "mill-1", "spindle", where=place, frame="polars")
    assert error.value.sentence.advice == "pip install polars"
    assert len(load("works", "mill-1", "spindle", where=place)) == 1
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(CollectorError, match="Neither pandas nor polars"):
        load("works", "mill-1", "spindle", where=place)


def test_what_is_missing_and_who_says_so(sink_settings: SqliteSettings | PostgresqlSettings) -> None:
    gateway = Gateway()
    messages = [gateway.features() for _ in range(6)]
    declared = gateway.gap(7, from_us=T0_US + 100_000)
    off = gateway.gap(0, from_us=T0_US + 10_000_000, cause="restart")
    lost = gateway.records_lost(2, 2)
    place = keep(sink_settings, [messages[0], messages[2], messages[5], declared, off, lost])
    missing = gaps("works", "mill-1", "spindle", where=place)
    assert [(m.what, m.cause, m.count, m.declared) for m in missing] == [
        ("records", "overflow", 1, True),
        ("records", "unknown", None, False),
        ("samples", "device", 7, True),
        ("off", "restart", 0, True),
    ]
    hole = missing[1]
    assert (hole.start, hole.end) == (moment(messages[2].t_us), moment(messages[5].t_us))
    before = gaps("works", "mill-1", "spindle", None, T0 + timedelta(seconds=0.2), where=place)
    assert [m.cause for m in before] == ["overflow", "device"]


def test_a_loss_that_was_declared_again_counts_once(
    sink_settings: SqliteSettings | PostgresqlSettings, tmp_path: Path
) -> None:
    """As it was, or together with more; others within its bounds are losses of their own."""
    earlier, later = Gateway(epoch="000001-aaaaaaaa"), Gateway(epoch="000002-bbbbbbbb")
    windows = [earlier.features(T0_US + n * SECOND_US) for n in range(60)]
    of = {"lost_epoch": earlier.epoch, "from_us": T0_US + SECOND_US, "to_us": T0_US + 9 * SECOND_US}
    torn = {**of, "cause": "corrupt", "records": None}
    told = [
        earlier.records_lost(2, 20, T0_US + 61 * SECOND_US, **of | {"records": 10}),
        later.records_lost(5, 5, T0_US + 90 * SECOND_US, **of),
        later.records_lost(2, 30, T0_US + 91 * SECOND_US, **of | {"records": 18}),
        later.records_lost(41, 45, T0_US + 92 * SECOND_US, **of),
        later.records_lost(41, 45, T0_US + 93 * SECOND_US, **of | {"from_us": T0_US}),
        later.records_lost(51, 51, T0_US + 94 * SECOND_US, **of | torn),
        later.records_lost(51, 51, T0_US + 95 * SECOND_US, **of | torn | {"from_us": T0_US}),
        later.records_lost(56, 56, T0_US + 96 * SECOND_US, **of | torn | {"to_us": T0_US + 56 * SECOND_US}),
    ]
    for place in places(sink_settings, [windows[0], windows[-1], *told], tmp_path):
        missing = gaps("works", "mill-1", "spindle", where=place)
        assert sorted((m.cause, m.count or 0) for m in missing) == [
            ("corrupt", 0),
            ("corrupt", 0),
            ("overflow", 1),
            ("overflow", 5),
            ("overflow", 18),
        ]
    query = (Path(__file__).parents[1] / "docs" / "store.md").read_text().partition("-- Records lost")[2]
    with reading(sink_settings) as reader:
        rows = list(reader.rows("-- Records lost" + query.partition("```")[0].replace(";", "")))
    assert [tuple(row) for row in rows] == [("works", "gw1", 24)]


def test_the_lost_beginning_of_a_later_run_is_a_hole(
    sink_settings: SqliteSettings | PostgresqlSettings,
) -> None:
    earlier, later = Gateway(epoch="000001-aaaaaaaa"), Gateway(epoch="000002-bbbbbbbb")
    came = [earlier.features(T0_US + n) for n in range(3)]
    lost, *rest = [later.features(T0_US + 1_000_000 * n) for n in range(1, 4)]
    place = keep(sink_settings, [*came[1:], *rest])
    (hole,) = gaps("works", "mill-1", "spindle", where=place)
    assert (hole.what, hole.cause, hole.declared) == ("records", "unknown", False)
    assert (hole.start, hole.end) == (moment(came[-1].t_us), moment(rest[0].t_us))
    assert gaps("works", "mill-1", "spindle", moment(T0_US + 1_500_000), where=place) == []
    place = keep(sink_settings, [lost])
    assert gaps("works", "mill-1", "spindle", where=place) == []


def places(
    sink: SqliteSettings | PostgresqlSettings, messages: list[Message], folder: Path, extent: Extent = ALWAYS
) -> list[str]:
    """Where the messages can be read: a database, and snapshots of both forms of it."""
    database = keep(sink, messages)
    forms: tuple[Format, ...] = ("csv", "parquet")
    for form in forms:
        with reading(sink) as reader:
            export(reader, extent, folder / form, form)
    return [database, *(str(folder / form) for form in forms)]


def second(number: float) -> datetime:
    return T0 + timedelta(seconds=number)


def test_what_reaches_into_a_stretch_is_missing_there(
    sink_settings: SqliteSettings | PostgresqlSettings, tmp_path: Path
) -> None:
    """Whenever it began, and whenever it was declared; also where the stretch has no record at all."""
    gateway, later = Gateway(), Gateway(epoch="000002-bbbbbbbb")
    windows = [gateway.features(T0_US + n * SECOND_US) for n in range(10)]
    messages = [gateway.meta(), gateway.meta(stream="plc"), *windows[:3], *windows[7:]]
    messages += [gateway.gap(100, T0_US + 10 * SECOND_US, to_us=T0_US + 3610 * SECOND_US)]
    messages += [gateway.summary(T0_US + 3600 * SECOND_US)]
    of_lost = {"from_us": T0_US + 3 * SECOND_US, "to_us": T0_US + 6 * SECOND_US}
    messages += [gateway.records_lost(4, 7, T0_US + 4000 * SECOND_US, **of_lost)]
    last = {"last_us": T0_US + 4000 * SECOND_US, "last_sync": True, "previous_epoch": gateway.epoch}
    messages += [later.restart(T0_US + 9000 * SECOND_US, **last), later.meta()]
    for place in places(sink_settings, messages, tmp_path):

        def causes(*between: float | None, stream: str = "spindle", place: str = place) -> list[str]:
            start, end = (None if number is None else second(number) for number in between)
            return [missing.cause for missing in gaps("works", "mill-1", stream, start, end, where=place)]

        assert causes(None, None) == ["overflow", "device", "restart"]
        assert causes(60, 120) == ["device"]
        assert causes(60, None) == ["device", "restart"]
        assert causes(None, 60) == ["overflow", "device"]
        assert causes(None, 5) == ["overflow"]
        assert causes(5000, 6000) == causes(5000, 6000, stream="plc") == ["restart"]
        assert causes(9001, None) == causes(3700, 3800) == []


def test_of_many_gaps_those_of_the_stretch_are_read(
    sink_settings: SqliteSettings | PostgresqlSettings, tmp_path: Path
) -> None:
    """The database leaves the others out, but none that began before the clock was set back."""
    gateway = Gateway()
    messages = [gateway.meta(), gateway.features()]
    messages += [gateway.gap(n, T0_US + 10 * n * SECOND_US) for n in range(1, 200)]
    messages += [gateway.gap(7, T0_US + 505 * SECOND_US, to_us=T0_US - 1000 * SECOND_US)]
    messages += [gateway.gap(None, T0_US + 1900 * SECOND_US, cause="restart", previous_epoch=gateway.epoch)]
    database, *snapshots = places(sink_settings, messages, tmp_path)
    for place in (database, *snapshots):
        missing = gaps("works", "mill-1", "spindle", second(501), second(531), where=place)
        assert [of.count for of in missing] == [7, 50, 51, 52, 53]
    selection = Selection("works", "mill-1", "spindle", moment_us(second(501)), moment_us(second(531)))
    with open_archive(database) as archive:
        read = [json.loads(row.payload)["lost"] for row in archive.declared(selection)]
    assert read == [50, 51, 52, 53, 7, None]


def test_where_a_stretch_begins_and_ends_nothing_is_missing(
    sink_settings: SqliteSettings | PostgresqlSettings, tmp_path: Path
) -> None:
    """A summary is made after the changes it covers, and carries the time of its beginning."""
    gateway = Gateway()
    messages = []
    for turn in range(6):
        times = [T0_US + (10 * turn + after) * SECOND_US for after in (3, 9, 0)]
        messages += [gateway.change(times[0]), gateway.change(times[1]), gateway.summary(times[2])]
    lost = messages.pop(10)
    for place in places(sink_settings, messages, tmp_path):
        (hole,) = gaps("works", "mill-1", "plc", where=place)
        assert (hole.start, hole.end) == (second(33), second(30)), lost.t_us
        for cut in (1, 2, 5, 12, 15, 22, 29):
            assert gaps("works", "mill-1", "plc", second(cut), where=place) == [hole], cut
            assert gaps("works", "mill-1", "plc", None, second(cut), where=place) == [], cut
        for cut in (35, 43, 55):
            assert gaps("works", "mill-1", "plc", second(cut), where=place) == [], cut
            assert gaps("works", "mill-1", "plc", None, second(cut + 6), where=place) == [hole], cut
    for cut in (2, 5, 12, 15):
        extent = Extent(T0_US + cut * SECOND_US, T0_US + (cut + 42) * SECOND_US)
        with reading(sink_settings) as reader:
            export(reader, extent, tmp_path / f"{cut}", "csv")
        assert gaps("works", "mill-1", "plc", where=tmp_path / f"{cut}") == [hole], cut


def test_a_run_that_began_before_its_clock_was_set_lacks_nothing(
    sink_settings: SqliteSettings | PostgresqlSettings, tmp_path: Path
) -> None:
    earlier, later = Gateway(epoch="000001-aaaaaaaa"), Gateway(epoch="000002-bbbbbbbb")
    messages = [earlier.features() for _ in range(3)]
    unset = [later.features(1_000 * SECOND_US + n, sync=False) for n in range(5)]
    messages += [*unset, *(later.features(T0_US + (60 + n) * SECOND_US) for n in range(5))]
    within = Extent(T0_US, T0_US + 3600 * SECOND_US)
    for place in (
        *places(sink_settings, messages, tmp_path),
        *places(sink_settings, [], tmp_path / "in", within),
    ):
        assert gaps("works", "mill-1", "spindle", T0, second(100), where=place) == []
        assert gaps("works", "mill-1", "spindle", where=place) == []
    # What is lost of it is told, although the declaration names times of the clock that was not set.
    gone = {"lost_epoch": later.epoch, "from_us": 1_000 * SECOND_US, "to_us": 1_000 * SECOND_US + 4}
    told = [later.records_lost(2, 4, T0_US + 80 * SECOND_US, **gone)]
    lacking = [message for message in messages if message not in unset[1:4]]
    other = SqliteSettings(file=tmp_path / "other")
    for declared in ([], told):
        place = keep(other, [*lacking, *declared])
        (missing,) = gaps("works", "mill-1", "spindle", T0, second(100), where=place)
        assert (missing.what, missing.declared) == ("records", bool(declared))


def test_a_gateway_that_no_longer_has_the_stream_is_not_asked(
    sink_settings: SqliteSettings | PostgresqlSettings, tmp_path: Path
) -> None:
    old, new = Gateway(), Gateway(gateway="gw2")
    later = Gateway(epoch="000002-bbbbbbbb"), Gateway(epoch="000003-cccccccc")
    messages = [old.meta(), old.features(), new.meta(), *(new.features() for _ in range(3))]
    for before, gateway in zip((old, later[0]), later, strict=True):
        last = {"last_us": T0_US, "last_sync": True, "previous_epoch": before.epoch}
        messages += [gateway.restart(T0_US + SECOND_US, **last)]
    for place in places(sink_settings, messages, tmp_path):
        (off,) = gaps("works", "mill-1", "spindle", where=place)
        assert (off.gateway, off.cause) == ("gw1", "restart"), "the first after it was moved"


def test_no_gap_begins_at_a_moment_of_a_clock_that_was_not_set(tmp_path: Path) -> None:
    gateway = Gateway()
    since_boot = gateway.gap(0, from_us=30_000_000, cause="restart", from_sync=False)
    place = keep(SqliteSettings(file=tmp_path / "s"), [gateway.features(), since_boot])
    (off,) = gaps("works", "mill-1", "spindle", where=place)
    assert (off.what, off.start) == ("off", None)
    assert off.end is not None


@pytest.mark.parametrize(("boot", "known"), [("boot", True), ("another", False)])
def test_within_a_boot_a_restart_by_a_clock_that_was_not_set_has_a_beginning(
    sink_settings: SqliteSettings | PostgresqlSettings, boot: str, known: bool
) -> None:
    """The clock is set before the second run: both ends are by that, and 9 s apart on the monotonic clock."""
    last_us, step_us = 30_000_000, T0_US
    before = Gateway(offset_us=10_000_000)
    after = Gateway(epoch="000002-bbbbbbbb", boot=boot, offset_us=10_000_000 + step_us)
    ended = {"previous_epoch": before.epoch, "last_us": last_us, "last_sync": False}
    restarted = after.restart(last_us + 9_000_000 + step_us, **ended)
    told = after.gap(0, last_us, "restart", from_sync=False, previous_epoch=before.epoch,
                     to_us=last_us + 9_000_000 + step_us)  # fmt: skip
    kept = [before.restart(20_000_000), before.features(29_000_000, sync=False), restarted, told]
    place = keep(sink_settings, [*kept, before.summary(), after.summary()])
    expected = moment(last_us + step_us) if known else None
    for stream, start in (("spindle", None), ("plc", None), ("plc", T0)):
        found = gaps("works", "mill-1", stream, start, where=place)
        (off,) = [missing for missing in found if missing.what == "off"]
        assert (off.start, off.end) == (expected, moment(last_us + 9_000_000 + step_us)), (stream, start)


@pytest.mark.parametrize("step_us", [3_600_000_000, -3_600_000_000, 100_000_000, 4_000])
@pytest.mark.parametrize("boot", ["boot", "another"])
def test_a_clock_that_is_set_between_two_runs_makes_no_gap_longer_or_shorter_within_a_boot(
    sink_settings: SqliteSettings | PostgresqlSettings, boot: str, step_us: int
) -> None:
    """Off for 9 s, both runs by clocks that were said to be synchronised; 4 ms are steering, not setting."""
    last_us, to_us = T0_US, T0_US + 9_000_000 + step_us
    before = Gateway(offset_us=10_000_000)
    after = Gateway(epoch="000002-bbbbbbbb", boot=boot, offset_us=10_000_000 + step_us)
    ended = {"previous_epoch": before.epoch, "last_us": last_us, "last_sync": True}
    told = after.gap(0, last_us, "restart", from_sync=True, previous_epoch=before.epoch, to_us=to_us)
    kept = [before.restart(last_us - 20_000_000), before.features(last_us - 1_000_000)]
    kept += [after.restart(to_us, **ended), told, before.summary(), after.summary()]
    place = keep(sink_settings, kept)
    for stream in ("spindle", "plc"):
        (off,) = [one for one in gaps("works", "mill-1", stream, where=place) if one.what == "off"]
        assert off.end == moment(to_us)
        if boot == "another":
            expected = moment(last_us) if last_us <= to_us else None
        else:
            expected = moment(last_us if step_us == 4_000 else to_us - 9_000_000)
        assert off.start == expected, stream


def test_a_gateway_was_not_off_while_it_made_records_that_are_here(
    sink_settings: SqliteSettings | PostgresqlSettings, tmp_path: Path
) -> None:
    """The power fails 40 s after the mark by which the next run knows the end; the records were delivered."""
    before, after = Gateway(), Gateway(epoch="000002-bbbbbbbb")
    marked = {"previous_epoch": before.epoch, "last_us": T0_US, "last_sync": True}
    came_us = T0_US + 40 * SECOND_US
    messages = [before.features(T0_US - SECOND_US), before.features(came_us), before.summary(came_us)]
    messages.append(after.restart(T0_US + 60 * SECOND_US, **marked))
    messages.append(after.gap(0, T0_US, "restart", previous_epoch=before.epoch, to_us=T0_US + 61 * SECOND_US))
    messages += [after.features(T0_US + 61 * SECOND_US), after.summary(T0_US + 61 * SECOND_US)]
    for place in places(sink_settings, messages, tmp_path):
        for stream, end_s in (("spindle", 61), ("plc", 60)):
            (off,) = gaps("works", "mill-1", stream, where=place)
            assert (off.start, off.end) == (moment(came_us), moment(T0_US + end_s * SECOND_US)), stream


def test_a_run_without_samples_does_not_tell_by_what_clock_the_gap_began(tmp_path: Path) -> None:
    dead = Gateway()
    after = Gateway(epoch="000002-bbbbbbbb")
    told = after.gap(0, T0_US, "restart", from_sync=False, previous_epoch=dead.epoch)
    place = keep(SqliteSettings(file=tmp_path / "s"), [dead.restart(T0_US - 1), told])
    (off,) = gaps("works", "mill-1", "spindle", where=place)
    assert (off.what, off.start) == ("off", None)


def test_a_restart_is_a_gap_of_a_controller_and_no_second_one_of_a_waveform(tmp_path: Path) -> None:
    gateway = Gateway()
    restart = gateway.restart(last_us=T0_US - 60_000_000, last_sync=True)
    told = gateway.gap(0, from_us=T0_US - 60_500_000, cause="restart")
    kept = [restart, gateway.summary(), gateway.features(), told]
    place = keep(SqliteSettings(file=tmp_path / "s"), kept)
    (off,) = gaps("works", "mill-1", "plc", where=place)
    assert (off.what, off.cause, off.count, off.estimated, off.declared) == (
        "off",
        "restart",
        None,
        True,
        True,
    )
    assert (off.start, off.end) == (moment(T0_US - 60_000_000), moment(restart.t_us))
    (of_waveform,) = gaps("works", "mill-1", "spindle", where=place)
    assert of_waveform.start == moment(T0_US - 60_500_000)


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(CollectorError) as error:
        load("works", "mill-1", "spindle", where=tmp_path / "nothing")
    assert error.value.sentence.code == "research.nothing-there"


@pytest.mark.parametrize(
    ("when", "expected_us"),
    [
        (date(1970, 1, 2), 86_400_000_000),
        ("1970-01-01T00:00:01", 1_000_000),
        ("1970-01-01T01:00:00.000001+01:00", 1),
        (datetime(1970, 1, 1), 0),  # noqa: DTZ001 (what names no zone is UTC)
    ],
)
def test_times_as_people_give_them(when: Any, expected_us: int) -> None:
    assert moment_us(when) == expected_us
    assert moment_us(moment(expected_us)) == expected_us


async def test_records_as_they_come(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    await broker.start()
    settings = BrokerSettings(host="127.0.0.1", port=broker.port, reconnect_max_s=0.1)
    gateway = Gateway()
    came: list[Live] = []

    async def follow() -> None:
        async for live in subscribe(settings, "researcher", company="works", kind="features"):
            came.append(live)  # noqa: PERF401 (as they come)

    following = asyncio.create_task(follow())
    for _ in range(2):
        sender = await Connection.open(settings, "gateway")
        message, odd = gateway.features(), gateway.meta()
        expected = len(came) + 1
        async with asyncio.timeout(20):
            while len(came) < expected:
                for topic, payload in (
                    (message.topic, message.payload),
                    (message.topic, b"no record"),
                    (message.topic, b""),
                    (odd.topic, odd.payload),
                    (message.topic.replace("works", "rival"), message.payload),
                ):
                    sender.publish(topic, payload)
                await asyncio.sleep(0.05)
        await sender.close()
        await broker.kill()
        await broker.start()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert [(live.topic.machine, live.record.seq) for live in came] == [("mill-1", 1), ("mill-1", 3)]
    await broker.stop()


async def test_what_goes_wrong_while_connecting_again_ends_what_waits(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    await broker.start()
    settings = BrokerSettings(host="127.0.0.1", port=broker.port).model_copy(
        update={"reconnect_max_s": "a while"}  # past the validation that refuses it
    )
    sender = await Connection.open(BrokerSettings(host="127.0.0.1", port=broker.port), "gateway")
    following = aiter(subscribe(settings, "researcher"))
    message = Gateway().features()
    first = asyncio.ensure_future(anext(following))
    async with asyncio.timeout(60):
        while not first.done():
            sender.publish(message.topic, message.payload)
            await asyncio.sleep(0.05)
        assert first.result().record.seq == 1
        await sender.close()
        await broker.kill()
        with pytest.raises(TypeError):
            await anext(following)


async def test_a_broker_that_is_not_there_is_told_at_once() -> None:
    with pytest.raises(BrokerError) as error:
        await anext(subscribe(BrokerSettings(host="127.0.0.1", port=1), "researcher"))
    assert str(error.value) == "No records can be followed. Nothing answers at 127.0.0.1:1."
    assert "kept" not in error.value.sentence.advice
    assert "gave to subscribe" in error.value.sentence.advice


def example(tmp_path: Path, messages: list[Message]) -> str:
    """What the example of the page says of these records; the plot is there."""
    place = keep(SqliteSettings(file=tmp_path / "store.sqlite"), messages)
    program = Path(__file__).resolve().parent.parent / "docs" / "examples" / "reading_back.py"
    done = subprocess.run(
        [sys.executable, program, place],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert (tmp_path / "reading_back.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "reading_back.png").stat().st_size > 10_000
    return done.stdout


def test_the_example_of_the_page_ends_in_a_plot(tmp_path: Path) -> None:
    gateway = Gateway()
    clipped, unset = gateway.features(quality=["clipped"]), gateway.features(sync=False)
    good = [gateway.features() for _ in range(60)]
    said = example(tmp_path, [gateway.meta(), clipped, unset, *good, gateway.gap(7)])
    assert "62 windows from 2026-09-21 14:13:20+00:00" in said
    assert "2 windows have a flag, or no good time, and are left out" in said
    assert "samples (device), about 7 missing, declared" in said
    assert "sync" not in said


def test_the_example_shows_windows_of_a_clock_that_was_never_set(tmp_path: Path) -> None:
    gateway = Gateway()
    windows = [gateway.features(sync=False, quality=flags) for flags in [["clipped"], *[[]] * 60]]
    off = gateway.gap(None, from_us=30_000_000, cause="restart", from_sync=False)
    said = example(tmp_path, [gateway.meta(), *windows, off])
    assert "all windows have sync = false; shown nevertheless" in said
    assert "1 windows have a flag, or no good time, and are left out" in said
    assert "an unknown time to 1970-01-01 00:00:31+00:00: off (restart), an unknown number missing" in said
