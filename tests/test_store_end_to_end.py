"""From a simulated spindle through a real broker into both databases, and back into a data frame."""

from pathlib import Path
from typing import Any

from servers import Collector, Mosquitto, Store, Subscriber, until, write_configuration, write_store

from collector.messages import Receipt
from collector.research import gaps, load
from collector.store.databases import reading
from collector.store.settings import PostgresqlSettings, SqliteSettings

WAVEFORM = """\
channels = [{ name = "x", unit = "g" }]
window = { samples = 512 }
source = { kind = "simulated", rate_hz = 6400 }
features = { peaks = 2, bands = [{ low_hz = 10, high_hz = 100 }] }
"""


async def outbox_is_empty(collector: Collector) -> bool:
    report = await collector.report()
    return report is not None and report["outbox"]["pending"] == 0


async def test_what_a_gateway_publishes_comes_back_as_a_data_frame(
    tmp_path: Path, broker: Mosquitto, sink_settings: SqliteSettings | PostgresqlSettings
) -> None:
    write_configuration(tmp_path, broker.port, WAVEFORM, outbox='delivery = "store"\nreceipt_hold_s = 1')
    write_store(tmp_path / "store.toml", broker.port, sink_settings)
    subscriber = await Subscriber.start(broker.port)
    collector, store = Collector(tmp_path), Store(tmp_path / "store.toml")
    await store.start()
    await collector.start()
    await until(lambda: len(subscriber.records("features")) > 20)
    await collector.end()
    await collector.start()
    await until(lambda: any(event["event"] == "gap" for event in subscriber.records("event")))
    await until(lambda: outbox_is_empty(collector))
    await collector.end()
    published: dict[tuple[str, int], dict[str, Any]] = {}

    def all_stored() -> bool:
        published.update({(r["epoch"], r["seq"]): r for r in subscriber.records("features")})
        with reading(sink_settings) as reader:
            stored = set(reader.rows("SELECT epoch, seq FROM records WHERE kind = 'features'"))
        return stored == published.keys()

    await until(all_stored)
    await store.end()
    await subscriber.end()

    frame = load("works", "mill-1", "spindle", where=tmp_path / "store.toml")
    assert list(zip(frame["epoch"], frame["seq"], strict=True)) == sorted(published)
    values = [record["channels"]["x"] for _, record in sorted(published.items())]
    assert list(frame["x.rms"]) == [value["rms"] for value in values]
    assert list(frame["x.band_rms.10-100"]) == [value["band_rms"]["10-100"] for value in values]
    assert list(frame["x.peaks.1.hz"]) == [value["peaks"][0]["hz"] for value in values]
    assert frame.attrs["units"]["x.rms"] == "g"
    assert frame.attrs["units"]["x.peaks.1.hz"] == "Hz"
    assert frame.attrs["definitions"]["crest"]["definition"].startswith("Crest factor")
    assert frame.attrs["meta"][frame["meta"].iloc[0]]["machine"]["name"] == "mill-1"
    (off,) = gaps("works", "mill-1", "spindle", where=tmp_path / "store.toml")
    assert (off.what, off.cause, off.declared) == ("off", "restart", True)
    receipts = [
        Receipt.model_validate_json(payload)
        for topic, payload in subscriber.raw
        if "/receipt/works/gw1" in topic
    ]
    assert receipts
    assert not any(receipt.rejected for receipt in receipts)
