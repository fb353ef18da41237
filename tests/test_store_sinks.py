"""Both databases keep each record once, as it was sent, and delete what they are told to; the same tests."""

import contextlib
import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_records import CONTENT, META, ROOT, T0_US, Gateway, arrival, arrivals, now_us

from benchmarks.postgres import TIMESCALEDB, Cluster
from collector.gateway.status import offline_status
from collector.messages import meta_hash
from collector.store.arrivals import Arrival, StoredRecord
from collector.store.databases import open_sink, reading
from collector.store.deletion import expire, expire_by_itself, withdraw
from collector.store.settings import PostgresqlSettings, RetentionSettings, SqliteSettings
from collector.store.sink import Batch, NoDatabaseError, RefusedError, Sink, StoreError
from collector.store.storing import Stored, batch_of, store
from collector.times import iso8601

SinkSettings = SqliteSettings | PostgresqlSettings
DAY_US = 24 * 3600 * 1_000_000


@pytest.fixture
def sink(sink_settings: SinkSettings) -> Iterator[Sink]:
    with contextlib.closing(open_sink(sink_settings)) as opened:
        yield opened


def rows(settings: SinkSettings, query: str, **values: Any) -> list[tuple[Any, ...]]:
    with reading(settings) as reader:
        return list(reader.rows(query, **values))


def count(settings: SinkSettings, table: str) -> int:
    ((number,),) = rows(settings, f"SELECT count(*) FROM {table}")
    return int(number)


def ranges(stored: Stored) -> list[tuple[str, str, list[tuple[int, int]], list[tuple[int, str]]]]:
    return [
        (*sender, receipt.stored, [(rejected.seq, rejected.reason) for rejected in receipt.rejected])
        for sender, receipt in stored.receipts
    ]


def test_every_record_is_kept_as_it_was_sent(sink_settings: SinkSettings, sink: Sink) -> None:
    messages = [*Gateway().everything(), *Gateway("rival").everything()]
    stored = store(sink, arrivals(messages), ROOT)
    assert stored.fresh == len(messages)
    assert sorted(ranges(stored)) == [("rival", "gw1", [(1, 7)], []), ("works", "gw1", [(1, 7)], [])]
    query = "SELECT company, gateway, epoch, seq, CAST(payload AS text) FROM records ORDER BY company, seq"
    kept = {tuple(row[:-1]): row[-1].encode() for row in rows(sink_settings, query)}
    assert kept == {(m.topic.split("/")[2], "gw1", m.epoch, m.seq): m.payload for m in messages}


def test_what_comes_again_is_receipted_again_and_kept_once(sink_settings: SinkSettings, sink: Sink) -> None:
    gateway = Gateway()
    first, second = ([arrival(gateway.features()) for _ in range(10)] for _ in range(2))
    store(sink, first, ROOT)
    stored = store(sink, [*first[5:], *second, *first[5:], *second[:3]], ROOT)
    assert stored.fresh == 10
    assert ranges(stored) == [("works", "gw1", [(6, 20)], [])]
    assert count(sink_settings, "record") == 20


def test_the_same_identity_with_other_bytes_never_takes_a_place(
    sink_settings: SinkSettings, sink: Sink
) -> None:
    gateway = Gateway()
    good = gateway.features()
    other_time = json.loads(good.payload) | {"t_us": good.t_us + 400 * DAY_US}
    other_bytes = Arrival(good.topic, good.payload.replace(b'"clipped":0', b'"clipped":1'), 5)
    conflicts = [other_bytes, Arrival(good.topic, json.dumps(other_time).encode(), 5)]
    # Within one batch, and against what is there already.
    for number, came in enumerate(([arrival(good), conflicts[0]], conflicts)):
        stored = store(sink, came, ROOT)
        assert stored.fresh == 1 - number
        assert ranges(stored) == [("works", "gw1", [], [(1, "conflict")])]
    assert rows(sink_settings, "SELECT CAST(payload AS text) FROM record") == [(good.payload.decode(),)]
    letters = rows(sink_settings, "SELECT reason, payload, epoch, seq, times FROM dead_letter ORDER BY times")
    assert [(reason, epoch, seq, times) for reason, _, epoch, seq, times in letters] == [
        ("conflict", good.epoch, 1, 1),
        ("conflict", good.epoch, 1, 2),
    ]
    assert {bytes(payload) for _, payload, *_ in letters} == {came.payload for came in conflicts}


def test_dead_letters_are_kept_raw_and_once(sink_settings: SinkSettings, sink: Sink) -> None:
    topic = f"{ROOT}/works/gw1/mill-1/spindle/features"
    odd = Arrival(topic, b'\xff{"epoch":"e","seq":3,', 10)
    for received_us in (10, 20, 30):
        stored = store(sink, [Arrival(topic, odd.payload, received_us)], ROOT)
        assert ranges(stored) == [("works", "gw1", [], [(3, "unreadable")])]
    ((payload, company, seq, first_us, last_us, times),) = rows(
        sink_settings, "SELECT payload, company, seq, first_us, last_us, times FROM dead_letter"
    )
    assert (bytes(payload), company, seq, first_us, last_us, times) == (odd.payload, "works", 3, 10, 30, 3)


def test_every_description_is_kept_and_joined_to_its_records(sink_settings: SinkSettings, sink: Sink) -> None:
    gateway = Gateway()
    newer = CONTENT.model_copy(update={"version": "0.2.0"})
    messages = [gateway.meta(), gateway.features(), gateway.meta(newer), gateway.meta()]
    store(sink, arrivals(messages), ROOT)
    found = rows(sink_settings, "SELECT hash, CAST(content AS text) FROM meta ORDER BY hash")
    assert {hash_: json.loads(content)["version"] for hash_, content in found} == {
        META: "0.1.0",
        meta_hash(newer): "0.2.0",
    }
    join = """
        SELECT record.seq FROM record
        JOIN meta ON meta.stream_id = record.stream_id AND meta.hash = record.meta
        WHERE record.kind = 'features'
    """
    assert rows(sink_settings, join) == [(2,)]


def test_the_last_status_of_each_gateway(sink_settings: SinkSettings, sink: Sink) -> None:
    for epoch in ("1", "2"):
        status = offline_status(epoch).model_dump_json()
        store(sink, [Arrival(f"{ROOT}/works/gw1/status", status.encode(), int(epoch))], ROOT)
    ((payload, received_us),) = rows(
        sink_settings, "SELECT CAST(payload AS text), received_us FROM gateway_status"
    )
    assert (json.loads(payload)["epoch"], received_us) == ("2", 2)


def test_a_status_that_the_broker_had_kept_is_no_sign_of_life(
    sink_settings: SinkSettings, sink: Sink
) -> None:
    now = now_us()
    made = {"said": now - 30 * DAY_US, "ahead": now + DAY_US, "unset": 1_000_000, "dead": None}
    for name, t_us in made.items():
        said = offline_status("1").model_copy(update={"t_us": t_us, "sync": name in {"said", "ahead"}})
        for state, received_us, retained in (
            ("healthy", now, True),
            ("healthy", now + 1, True),
            ("healthy", now + 2, False),
            ("degraded", now + 3, True),
        ):
            payload = said.model_copy(update={"state": state}).model_dump_json().encode()
            store(sink, [Arrival(f"{ROOT}/works/{name}/status", payload, received_us, retained)], ROOT)
            query = "SELECT received_us, CAST(payload AS text) FROM gateway_status WHERE gateway = :name"
            ((heard_us, kept),) = rows(sink_settings, query, name=name)
            assert json.loads(kept)["state"] == state, "the newest word counts, however it came"
            at_first = {"said": now - 30 * DAY_US, "ahead": now}.get(name, 0)
            assert heard_us == (at_first if received_us < now + 2 else now + 2), name


def test_views_for_those_who_use_sql(sink_settings: SinkSettings, sink: Sink) -> None:
    store(sink, arrivals(Gateway().everything()), ROOT)
    values = rows(
        sink_settings,
        "SELECT channel, feature, part, value FROM feature_values ORDER BY feature, coalesce(part, '')",
    )
    assert values == [
        ("x", "band_rms", "10-100", 0.5),
        ("x", "band_rms", "100-200", None),
        ("x", "crest", None, None),
        ("x", "rms", None, 0.1),
    ]
    assert rows(sink_settings, "SELECT channel, place, hz, amplitude FROM peaks") == [("x", 1, 99.5, 0.25)]
    points = rows(sink_settings, "SELECT point, mean, last, quality FROM point_values ORDER BY point")
    assert [(point, mean, quality) for point, mean, _, quality in points] == [
        ("mode", None, "good"),
        ("spindle-speed", 6000.0, "good"),
    ]
    gaps = rows(sink_settings, "SELECT type, cause, lost, records, from_us, to_us FROM gaps ORDER BY type")
    assert gaps == [
        ("gap", "device", 7, None, T0_US, T0_US + 1_000_000),
        ("records-lost", "overflow", None, 101, T0_US, T0_US + 1),
        ("restart", None, None, None, None, T0_US),
    ]


def test_a_restart_has_its_times_in_the_view_of_gaps(sink_settings: SinkSettings, sink: Sink) -> None:
    restarted = Gateway().restart(T0_US, last_us=T0_US - 9, last_sync=True)
    store(sink, [arrival(restarted)], ROOT)
    assert rows(sink_settings, "SELECT from_us, to_us FROM gaps") == [(T0_US - 9, T0_US)]


def test_the_last_value_of_a_point_is_the_same_text_in_every_database(
    sink_settings: SinkSettings, sink: Sink
) -> None:
    said = {
        "flag": True,
        "off": False,
        "text": "42",
        "quoted": 'a "b" \u00fc',
        "number": 0.1,
        "whole": 6001.0,
    }
    message = Gateway().summary()
    record = json.loads(message.payload)
    (speed, mode) = record["points"].values()
    record["points"] = {
        name: (speed if isinstance(last, float) else mode) | {"last": last} for name, last in said.items()
    }
    record["points"]["nothing"] = speed | {"last": None, "quality": "bad"}
    store(sink, [Arrival(message.topic, json.dumps(record).encode(), now_us())], ROOT)
    assert dict(rows(sink_settings, "SELECT point, last FROM point_values")) == {
        "flag": "true",
        "off": "false",
        "text": "42",
        "quoted": 'a "b" \u00fc',
        "number": "0.1",
        "whole": "6001.0",
        "nothing": None,
    }


def test_a_time_that_no_clock_should_say_finds_its_place(sink_settings: SinkSettings, sink: Sink) -> None:
    gateway = Gateway()
    times = [0, -1, 31 * DAY_US, T0_US, now_us(), 4_000_000_000_000_000]
    came = [arrival(gateway.features(t_us, sync=False)) for t_us in times]
    assert store(sink, came, ROOT).fresh == len(times)
    assert store(sink, came, ROOT).fresh == 0
    assert [row[0] for row in rows(sink_settings, "SELECT t_us FROM record ORDER BY seq")] == times


def test_what_the_database_refuses_is_a_dead_letter_and_stops_nothing_else(
    sink_settings: SinkSettings, sink: Sink
) -> None:
    gateway = Gateway()

    class Refusing:
        """A database that, for once, does not take a record that it should."""

        def write(self, batch: Batch) -> Any:
            if any(record.identity.seq == 2 for record in batch.records):
                raise RefusedError("of no\x00use")
            return sink.write(batch)

    stored = store(Refusing(), [arrival(gateway.features()) for _ in range(3)], ROOT)  # type: ignore[arg-type]
    assert stored.fresh == 2
    assert ranges(stored) == [("works", "gw1", [(1, 1), (3, 3)], [(2, "refused")])]
    assert rows(sink_settings, "SELECT reason, detail FROM dead_letter") == [("refused", "of no?use")]


def test_a_company_that_withdraws_leaves_nothing_but_the_log(sink_settings: SinkSettings, sink: Sink) -> None:
    for company in ("works", "rival"):
        gateway = Gateway(company)
        odd = Arrival(f"{ROOT}/{company}/gw1/mill-1/spindle/features", b"?", 1)
        status = offline_status("1").model_dump_json().encode()
        came = [*arrivals(gateway.everything()), odd, Arrival(f"{ROOT}/{company}/gw1/status", status, 1)]
        store(sink, came, ROOT)
    deleted = withdraw(sink, "works", now_us())
    assert (deleted.records, deleted.dead_letters) == (7, 1)
    for table in ("run", "stream", "gateway_status", "dead_letter"):
        assert rows(sink_settings, f"SELECT DISTINCT company FROM {table}") == [("rival",)]
    assert (count(sink_settings, "record"), count(sink_settings, "meta")) == (7, 1)
    ((why, company, records),) = rows(sink_settings, "SELECT why, company, records FROM deletion")
    assert (why, company, records) == ("withdrawal", "works", 7)
    # Whoever stores on knows of no number that is gone.
    assert store(sink, arrivals(Gateway("works").everything()), ROOT).fresh == 7


def test_another_process_withdraws_a_company_while_records_come(
    sink_settings: SinkSettings, sink: Sink
) -> None:
    store(sink, [arrival(Gateway().features())], ROOT)
    with contextlib.closing(open_sink(sink_settings)) as other:
        withdraw(other, "works", now_us())
    gateway = Gateway()
    assert store(sink, [arrival(gateway.features()) for _ in range(3)], ROOT).fresh == 3
    assert count(sink_settings, "records") == 3


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_number_of_a_company_that_withdrew_is_nobody_elses(
    sink_settings: SinkSettings, sink: Sink, elsewhere: bool
) -> None:
    """What comes of it afterwards is its own, also when others have come first, and none of it is lost."""
    kept, left = Gateway("kept"), Gateway("left")
    came = [gateway.features() for gateway in (kept, left)]
    store(sink, arrivals(came), ROOT)
    with contextlib.closing(open_sink(sink_settings)) as other:
        withdraw(other if elsewhere else sink, "left", now_us())
    returned, joined = Gateway("left", epoch="000002-bbbbbbbb"), Gateway("kept", "gw2")
    batches = [[joined.features()], [returned.features()], [left.features(), joined.features()]]
    for batch in batches:
        assert store(sink, arrivals(batch), ROOT).fresh == len(batch)
    there = [came[0], *itertools.chain(*batches)]
    expected = {(*message.topic.split("/")[2:6], message.epoch, message.seq) for message in there}
    query = "SELECT company, gateway, machine, stream, epoch, seq FROM records"
    assert set(rows(sink_settings, query)) == expected


def test_retention_goes_by_the_records_time_where_the_clock_was_right(
    sink_settings: SinkSettings, sink: Sink
) -> None:
    gateway, now = Gateway(), now_us()
    old = [gateway.features(now - days * DAY_US) for days in (100, 70, 40, 11)]
    new = [gateway.features(now - days * DAY_US) for days in (9, 0)]
    unset = [gateway.features(5, sync=False)]
    store(sink, [arrival(message) for message in (*old, *new, *unset)], ROOT)
    store(sink, [Arrival("shopfloor/v1/x", b"", now - 200 * DAY_US)], ROOT)
    assert expire(sink, RetentionSettings(dead_letters_days=None), now).records == 0
    deleted = expire(sink, RetentionSettings(records_days=10), now)
    assert (deleted.records, deleted.dead_letters) == (len(old), 1)
    assert [seq for (seq,) in rows(sink_settings, "SELECT seq FROM record ORDER BY seq")] == [5, 6, 7]
    # What was let go may come again, and goes again.
    assert store(sink, [arrival(old[0])], ROOT).fresh == 1
    assert expire(sink, RetentionSettings(records_days=10), now).records == 1


def test_by_itself_nothing_goes_before_the_newest_record_is_so_much_younger(
    sink_settings: SinkSettings, sink: Sink
) -> None:
    """Whatever the store's clock says, and a gateway's that is not set."""
    gateway, now = Gateway(), now_us()
    store(sink, [arrival(gateway.features(now - days * DAY_US)) for days in (11, 9, 1)], ROOT)
    store(sink, [arrival(gateway.features(now + 300 * DAY_US, sync=False))], ROOT)
    kept, ten = "SELECT seq FROM record ORDER BY seq", RetentionSettings(records_days=10)
    for ahead_days, doubted in ((400, False), (40, True)):
        doubt = expire_by_itself(sink, sink_settings, ten, now + ahead_days * DAY_US, doubted=doubted)
        assert doubt is not None
        assert doubt.code == "store.retention.clock-ahead"
        assert doubt.values["newest"] == iso8601(now - DAY_US)[:10]
        assert rows(sink_settings, kept) == [(1,), (2,), (3,), (4,)]
    assert count(sink_settings, "deletion") == 2, (
        "of records and letters; nothing is tried while it is doubted"
    )
    assert expire_by_itself(sink, sink_settings, ten, now + 20 * DAY_US) is None
    assert rows(sink_settings, kept) == [(1,), (2,), (3,), (4,)]
    store(sink, [arrival(gateway.summary(now))], ROOT)
    assert expire_by_itself(sink, sink_settings, ten, now + 20 * DAY_US) is None
    assert rows(sink_settings, kept) == [(2,), (3,), (4,), (5,)]
    for_ever = RetentionSettings(dead_letters_days=None)
    assert expire_by_itself(sink, sink_settings, for_ever, now + 400 * DAY_US) is None
    store(sink, [arrival(gateway.features(now + 50 * DAY_US))], ROOT)  # a gateway's clock is ahead, not ours
    assert expire_by_itself(sink, sink_settings, ten, now) is None
    assert rows(sink_settings, kept) == [(2,), (3,), (4,), (5,), (6,)]


def test_without_a_record_there_is_nothing_to_doubt_the_clock_by(
    sink_settings: SinkSettings, sink: Sink
) -> None:
    now = now_us()
    store(sink, [Arrival("shopfloor/v1/x", b"", now - 200 * DAY_US)], ROOT)
    assert expire_by_itself(sink, sink_settings, RetentionSettings(), now) is None
    assert count(sink_settings, "dead_letter") == 0


def test_a_database_of_a_newer_version_is_left_alone(sink_settings: SinkSettings, sink: Sink) -> None:
    sink.close()
    if isinstance(sink_settings, SqliteSettings):
        import sqlite3

        with contextlib.closing(sqlite3.connect(sink_settings.file)) as connection:
            connection.execute("PRAGMA user_version = 99")
    else:
        with psycopg.connect(sink_settings.url) as connection:
            connection.execute("INSERT INTO schema_version VALUES (99)")
    with pytest.raises(StoreError) as error:
        open_sink(sink_settings)
    assert error.value.sentence.code == "store.schema.newer"


PARTS = (
    "SELECT count(*) FROM timescaledb_information.chunks"
    if TIMESCALEDB
    else """
        SELECT count(*) FROM pg_inherits
        WHERE inhparent = 'record'::regclass AND inhrelid <> 'record_default'::regclass
    """
)
"""How many partitions or chunks a database has."""


def test_old_records_go_as_whole_partitions_or_chunks(cluster: Cluster) -> None:
    settings = PostgresqlSettings(kind="postgresql", url=cluster.new_database())
    gateway, now = Gateway(), now_us()
    with contextlib.closing(open_sink(settings)) as sink:
        store(sink, [arrival(gateway.features(now - days * DAY_US)) for days in (400, 100, 0)], ROOT)
        assert rows(settings, PARTS) == [(3,)]
        assert count(settings, "record_default") == 0
        deleted = expire(sink, RetentionSettings(records_days=10), now)
        assert deleted.records == 2
        assert rows(settings, PARTS) == [(1,)]
        assert count(settings, "record") == count(settings, "identity") == 1


def test_a_partition_or_chunk_with_something_to_keep_stays(cluster: Cluster) -> None:
    settings = PostgresqlSettings(kind="postgresql", url=cluster.new_database())
    gateway, now = Gateway(), now_us()
    old_us = now - 100 * DAY_US
    with contextlib.closing(open_sink(settings)) as sink:
        store(sink, [arrival(gateway.features(old_us, sync=sync)) for sync in (True, False)], ROOT)
        assert expire(sink, RetentionSettings(records_days=10), now).records == 1
        assert rows(settings, PARTS) == [(1,)]
        for table in ("record", "identity"):
            assert rows(settings, f"SELECT seq FROM {table}") == [(2,)]


def test_what_just_comes_into_an_old_part_does_not_go_with_it(cluster: Cluster) -> None:
    settings = PostgresqlSettings(kind="postgresql", url=cluster.new_database())
    gateway, now = Gateway(), now_us()
    table = "record_hypertable" if TIMESCALEDB else "record"
    come = f"""
        INSERT INTO {table}
        SELECT run_id, 2, prev, stream_id, kind, type, t_us, false, meta, first, received_us, payload
        FROM record
    """
    waits = """
        SELECT count(*) > 0 FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
    """
    with contextlib.closing(open_sink(settings)) as sink, psycopg.connect(settings.url) as ingester:
        store(sink, [arrival(gateway.features(now - 100 * DAY_US))], ROOT)
        ingester.execute(come)
        with ThreadPoolExecutor(1) as thread:
            expiring = thread.submit(expire, sink, RetentionSettings(records_days=10), now)
            while rows(settings, waits) != [(True,)]:
                assert not expiring.done()
            ingester.commit()
            assert expiring.result().records == 1
        assert rows(settings, "SELECT seq FROM record") == [(2,)]


def test_what_just_comes_of_a_company_goes_with_it(cluster: Cluster) -> None:
    settings = PostgresqlSettings(kind="postgresql", url=cluster.new_database())
    letter = Arrival("shopfloor/v1/x", b"", 1)
    later = [letter, arrival(Gateway(epoch="000002-bbbbbbbb").features())]
    waiting = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
    """
    with (
        contextlib.closing(open_sink(settings)) as sink,
        contextlib.closing(open_sink(settings)) as other,
        psycopg.connect(settings.url) as third,
        ThreadPoolExecutor(2) as threads,
    ):
        store(sink, [letter, arrival(Gateway().features())], ROOT)
        third.execute("SELECT FROM dead_letter FOR UPDATE")
        storing = threads.submit(store, sink, later, ROOT)
        while rows(settings, waiting) != [(1,)]:
            assert not storing.done()
        withdrawing = threads.submit(withdraw, other, "works", now_us())
        while rows(settings, waiting) != [(2,)] and not withdrawing.done():
            pass
        third.commit()
        assert storing.result().fresh == 1
        assert withdrawing.result().records == 2
    assert [count(settings, table) for table in ("record", "run", "stream")] == [0, 0, 0]


def test_a_clock_gone_wrong_makes_no_tables(cluster: Cluster) -> None:
    settings = PostgresqlSettings(kind="postgresql", url=cluster.new_database())
    gateway, now = Gateway(), now_us()
    came = [arrival(gateway.features(now + turn * 400 * DAY_US)) for turn in range(-50, 50)]
    with contextlib.closing(open_sink(settings)) as sink:
        store(sink, came, ROOT)
        assert rows(settings, PARTS) == [(2,)], "now, and 400 days ago"
        assert count(settings, "record_default") == 98
        assert count(settings, "record") == 100
        assert expire(sink, RetentionSettings(records_days=1), now).records == 50
        assert rows(settings, PARTS) == [(1,)]
        assert store(sink, came[50:], ROOT).fresh == 0, "they are known, wherever they lie"
        assert count(settings, "record") == count(settings, "identity") == 50


def test_the_extension_may_come_when_there_are_records(cluster: Cluster) -> None:
    settings = PostgresqlSettings(kind="postgresql", url=cluster.new_database(timescaledb=False))
    gateway = Gateway()
    for turn in (1, 2):
        with contextlib.closing(open_sink(settings)) as sink:
            store(sink, [arrival(gateway.features(now_us() - turn * 40 * DAY_US))], ROOT)
        if TIMESCALEDB and turn == 1:
            cluster.create_extension(settings.url)
    kinds = "SELECT relkind::text FROM pg_class WHERE oid IN ('record'::regclass, 'record_default'::regclass)"
    assert sorted(rows(settings, kinds)) == [("p",), ("r",)], "partitions stay partitions"
    assert count(settings, "records") == 2


def test_neither_owner_nor_reader_needs_more_rights(cluster: Cluster) -> None:
    url = cluster.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        for role in ("owner", "reader"):
            connection.execute(f"CREATE ROLE {role} LOGIN")
        connection.execute(f"ALTER DATABASE {connection.info.dbname} OWNER TO owner")
    owner, reader = (
        PostgresqlSettings(kind="postgresql", url=url.replace("user=collector", f"user={role}"))
        for role in ("owner", "reader")
    )
    gateway, now = Gateway(), now_us()
    with contextlib.closing(open_sink(owner)) as sink:
        store(sink, [arrival(gateway.features(now - days * DAY_US)) for days in (100, 9999, 0)], ROOT)
        with psycopg.connect(owner.url) as connection:
            connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        for table in ("record", "records", "feature_values"):
            assert count(reader, table) > 0
        assert expire(sink, RetentionSettings(records_days=10), now).records == 2
        store(sink, [arrival(gateway.features(now - 30 * DAY_US))], ROOT)
        assert count(reader, "records") == 2, "also from a part that is newer than the right"
        assert withdraw(sink, "works", now).records == 2
    with pytest.raises(StoreError):
        open_sink(reader)


def test_ingesters_side_by_side_store_everything_once(cluster: Cluster) -> None:
    """Each gets everything, in another order and cut otherwise, and makes room for it: the worst case."""
    settings = PostgresqlSettings(kind="postgresql", url=cluster.new_database())
    gateways = [Gateway(company, name) for company in ("works", "rival") for name in ("gw1", "gw2")]
    days = range(now_us(), now_us() - 150 * DAY_US, -DAY_US)
    came = [arrival(gateway.features(t_us)) for t_us in days for gateway in gateways]
    came += [Arrival(f"{ROOT}/works/gw1/mill-1/spindle/features", b"?%d" % n, 1) for n in range(20)]

    def ingest(number: int) -> int:
        order = came[number * 40 :] + came[: number * 40]
        size = 37 + 20 * number
        with contextlib.closing(open_sink(settings)) as sink:
            batches = (order[start : start + size] for start in range(0, len(order), size))
            return sum(store(sink, batch, ROOT).fresh for batch in batches)

    with ThreadPoolExecutor(4) as threads:
        fresh = list(threads.map(ingest, range(4)))
    assert sum(fresh) == count(settings, "record") == count(settings, "identity") == 600
    assert rows(settings, "SELECT count(*), min(times), max(times) FROM dead_letter") == [(20, 4, 4)]


def test_a_server_that_goes_away_and_comes_back(cluster: Cluster) -> None:
    settings = PostgresqlSettings(kind="postgresql", url=cluster.new_database())
    gateway = Gateway()
    sink = open_sink(settings)
    cluster.kill()
    with pytest.raises(StoreError) as error:
        sink.write(batch_of([arrival(gateway.features())], ROOT))
    assert error.value.sentence.code == "store.postgresql.failed"
    sink.close()
    with pytest.raises(StoreError):
        open_sink(settings)
    cluster.start()
    with contextlib.closing(open_sink(settings)) as again:
        assert store(again, [arrival(gateway.features())], ROOT).fresh == 1


@pytest.fixture(scope="module")
def odd_sinks(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Sink]]:
    """One database of each kind, for many odd records."""
    file = tmp_path_factory.mktemp("odd") / "store.sqlite"
    kinds: list[SinkSettings] = [
        SqliteSettings(file=file),
        PostgresqlSettings(kind="postgresql", url=cluster.new_database()),
    ]
    sinks = [open_sink(each) for each in kinds]
    yield sinks
    for sink in sinks:
        sink.close()


@settings(deadline=None)  # a commit takes as long as it takes
@given(
    which=st.lists(st.integers(0, 6), min_size=1, max_size=4),
    key=st.sampled_from(["seq", "prev", "t_us", "meta", "epoch", "first", "sync", "content", "kind", "new"]),
    value=st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just({"a": "\ud800"}),
    salt=st.integers(1, 10**9),
)
def test_whatever_comes_is_stored_or_buried(
    odd_sinks: list[Sink], which: list[int], key: str, value: Any, salt: int
) -> None:
    made = Gateway(epoch=f"{salt:06}-aaaaaaaa").everything()
    came = []
    for number in which:
        message = made[number]
        text = json.dumps(json.loads(message.payload) | {key: value})
        came += [Arrival(message.topic, text.encode(), 1), arrival(message)]
    for sink in odd_sinks:
        store(sink, came, ROOT)


def test_batches_hold_each_record_once() -> None:
    gateway = Gateway()
    message = gateway.features()
    batch = batch_of([arrival(message), arrival(message)], ROOT)
    assert len(batch.records) == 1
    assert isinstance(batch.records[0], StoredRecord)


def test_before_the_first_start_there_is_nothing_to_read(
    sink_settings: SinkSettings,
) -> None:
    with pytest.raises(NoDatabaseError, match="yet") as error, reading(sink_settings) as reader:
        list(reader.rows("SELECT name FROM ingester"))
    assert error.value.exit_code == 3
