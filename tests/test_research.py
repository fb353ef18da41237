"""Reading back: data frames with what their columns mean, what is missing, and records as they come."""

import asyncio
import contextlib
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from servers import Mosquitto
from store_records import CONTENT, META, ROOT, T0_US, Gateway, arrivals

from collector.errors import BrokerError, CollectorError
from collector.messages import Message, meta_hash
from collector.mqtt import BrokerSettings, Connection
from collector.research import Live, gaps, load, subscribe
from collector.store.databases import open_sink, reading
from collector.store.settings import PostgresqlSettings, SqliteSettings
from collector.store.snapshot import Extent, export
from collector.store.storing import store
from collector.times import moment, moment_us
from collector.toml.problems import ConfigError

T0 = datetime.fromtimestamp(T0_US // 1_000_000, UTC)


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
            export(reader, Extent(0, 2 * T0_US), tmp_path / "snapshot", form)
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


def test_no_gap_begins_at_a_moment_of_a_clock_that_was_not_set(tmp_path: Path) -> None:
    gateway = Gateway()
    since_boot = gateway.gap(0, from_us=30_000_000, cause="restart", from_sync=False)
    place = keep(SqliteSettings(file=tmp_path / "s"), [gateway.features(), since_boot])
    (off,) = gaps("works", "mill-1", "spindle", where=place)
    assert (off.what, off.start) == ("off", None)
    assert off.end is not None


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


async def test_a_broker_that_is_not_there_is_told_at_once() -> None:
    with pytest.raises(BrokerError):
        await anext(subscribe(BrokerSettings(host="127.0.0.1", port=1), "researcher"))


def test_the_example_of_the_page_ends_in_a_plot(tmp_path: Path) -> None:
    gateway = Gateway()
    clipped = gateway.features(quality=["clipped"])
    messages = [gateway.meta(), clipped, *(gateway.features() for _ in range(60)), gateway.gap(7)]
    place = keep(SqliteSettings(file=tmp_path / "store.sqlite"), messages)
    example = Path(__file__).resolve().parent.parent / "docs" / "examples" / "reading_back.py"
    done = subprocess.run(
        [sys.executable, example, place],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert "61 windows from 2026-09-21 14:13:20+00:00" in done.stdout
    assert "1 windows have a flag, or no good time" in done.stdout
    assert "samples (device), about 7 missing, declared" in done.stdout
    assert (tmp_path / "reading_back.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "reading_back.png").stat().st_size > 10_000
