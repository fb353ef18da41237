"""A real PostgreSQL for benchmarks and tests: its own files, a unix socket, no port.

With COLLECTOR_TIMESCALEDB=1 every new database has the extension TimescaleDB, which must be installed.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

_USERS = ("postgres", "nobody")
TIMESCALEDB = os.environ.get("COLLECTOR_TIMESCALEDB") == "1"
_PRELOAD = ("-c", "shared_preload_libraries=timescaledb", "-c", "timescaledb.telemetry_level=off")


class Cluster:
    """A server with databases; started as another user where we are root, whom it refuses."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="collector-postgresql-"))
        self._user = _other_user() if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self.folder, self._user)
        self._programs = max(
            Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name)
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        self._run("initdb", "-D", self._data, "-A", "trust", "-U", "collector", "-E", "UTF8", "--no-sync")

    @property
    def pid(self) -> int:
        """Its first process, whose children serve the connections."""
        assert self._process is not None
        return self._process.pid

    def start(self, *, durable: bool = False) -> None:
        """Start it and wait until it answers; tests do without the disk, benchmarks do not."""
        self._process = subprocess.Popen(
            [
                str(self._programs / "postgres"), "-D", self._data, "-k", str(self.folder),
                "-c", "listen_addresses=", "-c", "max_connections=50",
                "-c", f"fsync={'on' if durable else 'off'}",
                *(_PRELOAD if TIMESCALEDB else ()),
            ],
            user=self._user,
            cwd="/",
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(600):
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, "it ended"
                time.sleep(0.05)
            else:
                return
        raise AssertionError("it does not answer")

    def stop(self) -> None:
        """End it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)  # without waiting for clients
        self._process.wait(30)

    def kill(self) -> None:
        """Kill it and all its children, as the kernel might."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in (self._process.pid, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(30)

    def remove(self) -> None:
        """End it and remove its files."""
        self.stop()
        shutil.rmtree(self.folder)

    def new_database(self, *, timescaledb: bool = TIMESCALEDB) -> str:
        """The URL of a new, empty database."""
        self._made += 1
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE test_{self._made}")
        url = self.url(f"test_{self._made}")
        if timescaledb:
            self.create_extension(url)
        return url

    def create_extension(self, url: str) -> None:
        """Let a database have TimescaleDB."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION timescaledb")

    def url(self, database: str) -> str:
        """Where a database is."""
        return f"postgresql:///{database}?host={self.folder}&user=collector"

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._programs / program), *arguments],
            user=self._user,
            cwd="/",
            check=True,
            stdout=subprocess.DEVNULL,
        )


def _other_user() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(user for user in _USERS if user in known)
