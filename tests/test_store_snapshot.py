"""Snapshots are the same bytes whenever they are made, from either database, and can be read back."""

import contextlib
import csv
import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from pyarrow import parquet
from store_records import CONTENT, ROOT, T0_US, Gateway, arrivals

from benchmarks.postgres import Cluster
from collector.errors import CollectorError
from collector.messages import Message
from collector.research import gaps, load
from collector.store.databases import open_sink, reading
from collector.store.settings import PostgresqlSettings, SqliteSettings
from collector.store.snapshot import Extent, Format, export
from collector.store.storing import store

ALWAYS = Extent(0, 4_000_000_000_000_000)
FORMATS: list[Format] = ["parquet", "csv"]


def filled(settings: SqliteSettings | PostgresqlSettings, messages: list[Message], turn: int = 1) -> None:
    """Store the records, in another order and other batches for each turn."""
    came = arrivals(messages)
    with contextlib.closing(open_sink(settings)) as sink:
        for start in range(turn):
            store(sink, came[start::turn][::-1], ROOT)


def made(settings: SqliteSettings | PostgresqlSettings, extent: Extent, folder: Path, form: Format) -> str:
    with reading(settings) as reader:
        return export(reader, extent, folder, form).digest


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


@pytest.fixture
def messages() -> list[Message]:
    gateways = [Gateway(), Gateway("rival"), Gateway("works", "gw2", "000007-bbbbbbbb")]
    found = [message for gateway in gateways for message in gateway.everything()]
    return [*found, *(gateway.features() for _ in range(50) for gateway in gateways)]


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_bytes_from_either_database_whatever_came_later(
    tmp_path: Path, cluster: Cluster, messages: list[Message], form: Format
) -> None:
    one = SqliteSettings(file=tmp_path / "one.sqlite")
    other = PostgresqlSettings(kind="postgresql", url=cluster.new_database())
    filled(one, messages)
    filled(other, messages, turn=3)
    digests = {made(settings, ALWAYS, tmp_path / settings.kind, form) for settings in (one, other)}
    assert len(digests) == 1
    first = bytes_of(tmp_path / "sqlite")
    assert first == bytes_of(tmp_path / "postgresql")
    later = Gateway(epoch="000009-cccccccc")
    with contextlib.closing(open_sink(one)) as sink:
        late = arrivals([later.meta(CONTENT.model_copy(update={"version": "9"})), later.features()])
        store(sink, [a.__class__(a.topic, a.payload, a.received_us + 10**9) for a in late], ROOT)
    made(one, ALWAYS, tmp_path / "newer", form)
    assert bytes_of(tmp_path / "newer") != first
    as_of_us = T0_US + 1_000_000_000 + 1000 * (len(messages) - 1)
    extent = Extent(ALWAYS.from_us, ALWAYS.to_us, as_of_us=as_of_us)
    assert made(one, extent, tmp_path / "again", form) in digests
    assert bytes_of(tmp_path / "again") == first


def test_what_is_in_it(tmp_path: Path, messages: list[Message]) -> None:
    settings = SqliteSettings(file=tmp_path / "store.sqlite")
    filled(settings, messages)
    folder = tmp_path / "snapshot"
    digest = made(settings, ALWAYS, folder, "parquet")
    sums = (folder / "SHA256SUMS").read_bytes()
    assert digest == hashlib.sha256(sums).hexdigest()
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=True)
    records = parquet.read_table(folder / "records.parquet").to_pylist()
    assert sorted(record["payload"].encode() for record in records) == sorted(m.payload for m in messages)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["tables"]["records"]["rows"] == len(messages)
    for name, table in manifest["tables"].items():
        assert list(table["columns"]) == parquet.read_schema(folder / f"{name}.parquet").names
    values = parquet.read_table(folder / "feature_values.parquet").to_pylist()
    assert len(values) == 6 * sum(record["kind"] == "features" for record in records)
    assert {(row["feature"], row["part"]) for row in values} == {
        ("rms", ""),
        ("crest", ""),
        ("band_rms", "10-100"),
        ("band_rms", "100-200"),
        ("peaks", "1.hz"),
        ("peaks", "1.amplitude"),
    }


def test_only_what_was_asked_for(tmp_path: Path, messages: list[Message]) -> None:
    settings = SqliteSettings(file=tmp_path / "store.sqlite")
    filled(settings, messages)
    extent = Extent(T0_US + 80_000, T0_US + 160_000, ("rival",))
    made(settings, extent, tmp_path / "snapshot", "csv")
    with (tmp_path / "snapshot" / "records.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [(row["company"], row["t_us"]) for row in rows] == [("rival", str(T0_US + 80_000))]
    with (tmp_path / "snapshot" / "meta.csv").open(newline="") as lines:
        assert [row["company"] for row in csv.DictReader(lines)] == ["rival"]


@pytest.mark.parametrize("form", FORMATS)
def test_reading_it_back_is_like_reading_the_database(
    tmp_path: Path, messages: list[Message], form: Format
) -> None:
    file = tmp_path / "store.sqlite"
    filled(SqliteSettings(file=file), messages)
    made(SqliteSettings(file=file), ALWAYS, tmp_path / "snapshot", form)
    frames = [load("works", "mill-1", "spindle", where=where) for where in (file, tmp_path / "snapshot")]
    assert frames[0].equals(frames[1])
    assert frames[0].attrs == frames[1].attrs
    missing = [gaps("works", "mill-1", "spindle", where=where) for where in (file, tmp_path / "snapshot")]
    assert missing[0] == missing[1]


def test_a_damaged_snapshot_is_not_read(tmp_path: Path, messages: list[Message]) -> None:
    settings = SqliteSettings(file=tmp_path / "store.sqlite")
    filled(settings, messages)
    made(settings, ALWAYS, tmp_path / "snapshot", "csv")
    records = tmp_path / "snapshot" / "records.csv"
    records.write_bytes(records.read_bytes().replace(b"0.5", b"0.6", 1))
    with pytest.raises(CollectorError) as error:
        load("works", "mill-1", "spindle", where=tmp_path / "snapshot")
    assert error.value.sentence.code == "research.not-a-snapshot"
    with pytest.raises(CollectorError) as error:
        made(settings, ALWAYS, tmp_path / "snapshot", "csv")
    assert error.value.sentence.code == "store.export.not-empty"
