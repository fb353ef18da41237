"""What every test relies on: nothing leaks, and real recordings are found or their absence is said."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings
from servers import Collector, Mosquitto, StartBroker
from stand_ins import SettableClock

from benchmarks.postgres import Cluster
from collector.clock import UtcClock
from collector.journal import Journal
from collector.messages import Topics
from collector.outbox import Outbox, OutboxSettings
from collector.store.settings import PostgresqlSettings, SqliteSettings

# A shell starts background jobs with Ctrl-C ignored, and the programs that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes, or is sought, says nothing of ours on a computer that does other things, too.
settings.register_profile(
    "patient", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")

_PROJECT = Path(__file__).resolve().parent.parent

_LONG = (
    "test_canary", "test_store_ingest", "test_scan", "test_gateway", "test_group_attacks", "test_end_to_end",
    "test_state_end_to_end", "test_opcua", "test_store_oracle", "test_joined_end_to_end", "test_modbus",
    "test_accounts_end_to_end", "test_outbox_soak", "test_demo", "test_opcua_end_to_end",
    "test_state_recordings", "test_cli_controllers", "test_cli_outbox", "test_publish", "test_outbox",
    "test_outbox_receipts", "test_secure_end_to_end", "test_receipts", "test_research",
)  # fmt: skip
"""Files that take long begin first, so that none is left alone at the end when files run side by side."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: number for number, name in enumerate(_LONG)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """Fail a test that leaves a thread running."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith(("asyncio_", "ThreadPoolExecutor")):
            continue  # the loop's own executor ends with the loop
        thread.join(timeout=2)
        assert not thread.is_alive(), f"the test leaked the thread {thread.name}"


@pytest_asyncio.fixture(autouse=True)
async def no_leaked_tasks() -> AsyncIterator[None]:
    """Fail a test that leaves an asyncio task running (the fixture itself runs as one)."""
    before = asyncio.all_tasks()
    yield
    this = asyncio.current_task()
    leaked = {task for task in asyncio.all_tasks() - before if task is not this and not task.done()}
    for task in leaked:
        task.cancel()
    assert not leaked, f"the test leaked {leaked}"


@pytest_asyncio.fixture
async def busy_workers() -> AsyncIterator[None]:
    """No thread of asyncio's pool is free during the test, as when a dead disk keeps them."""
    loop, over = asyncio.get_running_loop(), threading.Event()
    loop.set_default_executor(ThreadPoolExecutor(1))
    kept = loop.run_in_executor(None, over.wait)
    yield
    over.set()
    await kept


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real recordings and node sets (COLLECTOR_SHARED)."""
    folder = Path(os.environ.get("COLLECTOR_SHARED", _PROJECT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no real recordings in {folder}: set COLLECTOR_SHARED to their folder")
    return folder


@pytest.fixture(scope="session")
def recordings(shared: Path) -> Path:
    """The folder with real recordings."""
    return shared / "data"


@pytest_asyncio.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    """A mosquitto that lets everybody in."""
    mosquitto = Mosquitto(tmp_path)
    await mosquitto.start()
    yield mosquitto
    await mosquitto.stop()


@pytest_asyncio.fixture
async def start_broker(tmp_path: Path) -> AsyncIterator[StartBroker]:
    """Starts a mosquitto with these lines of configuration, and stops it after the test."""
    started = []

    async def start(*lines: str) -> Mosquitto:
        started.append(Mosquitto(tmp_path, *lines))
        await started[-1].start()
        return started[-1]

    yield start
    for mosquitto in started:
        await mosquitto.stop()


@pytest_asyncio.fixture
async def collector(tmp_path: Path) -> AsyncIterator[Collector]:
    """A collector that is stopped at the end."""
    daemon = Collector(tmp_path)
    yield daemon
    if daemon.process is not None:
        await daemon.end()


@pytest.fixture
def kernel() -> SettableClock:
    """The kernel's clock."""
    return SettableClock()


@pytest_asyncio.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[Outbox]:
    """A real outbox."""
    opened = await Outbox.open(OutboxSettings(directory=tmp_path / "outbox"))
    yield opened
    await opened.close()


@pytest.fixture
def journal(kernel: SettableClock, outbox: Outbox) -> Journal:
    """A journal that writes into it."""
    return Journal(Topics("r", "works", "gw1"), UtcClock(kernel), outbox, "boot")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server."""
    server = Cluster()
    server.start()
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def sink_settings(request: pytest.FixtureRequest, tmp_path: Path) -> SqliteSettings | PostgresqlSettings:
    """Each kind of database, new and empty."""
    if request.param == "sqlite":
        return SqliteSettings(file=tmp_path / "store.sqlite")
    cluster: Cluster = request.getfixturevalue("cluster")
    return PostgresqlSettings(kind="postgresql", url=cluster.new_database())
