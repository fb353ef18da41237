"""Certificates come to their end: `status` says so in time, and what to do; after it the reason is told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from groups import Group
from servers import until
from stand_ins import SettableClock

from collector.clock import UtcClock
from collector.errors import BrokerError
from collector.group import membership
from collector.group.membership import Terms
from collector.health import State
from collector.mqtt import BrokerSettings, Connection, Ends, Will
from collector.outbox import Outbox
from collector.publish import Publisher

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("own", "brokers", "code"),
    [
        (None, None, None),
        (31 * DAY, 31 * DAY, None),
        (30 * DAY, None, "broker.certificate-ends"),
        (None, 30 * DAY, "broker.brokers-certificate-ends"),
        (5 * DAY, 4 * DAY, "broker.brokers-certificate-ends"),
        (-DAY, 4 * DAY, "broker.certificate-ends"),
    ],
)
def test_the_end_that_comes_first_is_told(
    own: timedelta | None, brokers: timedelta | None, code: str | None
) -> None:
    ends = Ends(*(None if left is None else NOW + left for left in (own, brokers)))
    warning = ends.warning(NOW)
    assert (warning and warning.code) == code
    if warning:
        assert warning.advice
        assert int(warning.values["days"]) >= 0


@pytest_asyncio.fixture
async def group(tmp_path: Path) -> AsyncIterator[Group]:
    """A group whose broker runs."""
    group = Group(tmp_path)
    await group.start()
    yield group
    await group.stop()


def gateway(group: Group, name: str, days: int) -> BrokerSettings:
    """A gateway with a certificate for so many days from now on; negative: which has ended."""
    since = datetime.now(UTC) + min(0, days) * DAY
    terms = Terms(since - DAY if days < 0 else since, certificate_days=max(days, 1), enrolment_days=90)
    return group.enrolled(membership.add_gateway(group.files, "works", name, terms))


async def test_a_running_gateway_says_so_from_30_days_before(group: Group, outbox: Outbox) -> None:
    settings = gateway(group, "gw1", 45)
    await group.tell()
    kernel = SettableClock(utc=int(datetime.now(UTC).timestamp() * 1e9))
    clock = UtcClock(kernel)
    will = Will("shopfloor/v1/works/gw1/status", b"offline")
    publisher = Publisher(settings, "works.gw1", will, outbox, clock)
    async with running(publisher):
        await until(lambda: publisher.condition.state is State.OK)
        kernel.pass_time(16 * 86_400)
        publisher.look()
        report = publisher.report()
        assert report.state is State.DEGRADED
        assert report.reason is not None
        assert report.reason.code == "broker.certificate-ends"
        assert report.reason.values["days"] in {28, 29}


@contextlib.asynccontextmanager
async def running(publisher: Publisher) -> AsyncIterator[None]:
    task = asyncio.create_task(publisher.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_after_its_end_the_reason_is_told(group: Group) -> None:
    settings = gateway(group, "gw1", -3)
    await group.tell()
    with pytest.raises(BrokerError) as refused:
        await Connection.open(settings, "works.gw1")
    assert refused.value.sentence.code == "broker.certificate-ended"
    assert f"{datetime.now(UTC) - 3 * DAY:%Y-%m-%d}" in str(refused.value)


async def test_the_brokers_certificate_is_watched_too_and_renewed_without_a_restart(group: Group) -> None:
    settings = gateway(group, "gw1", 700)
    membership.renew_broker(group.files, (), Terms(datetime.now(UTC), certificate_days=10))
    await group.tell()
    for code in ("broker.brokers-certificate-ends", None):
        connection = await Connection.open(settings, "works.gw1")
        warning = connection.ends.warning(datetime.now(UTC))
        assert (warning and warning.code) == code
        await connection.close()
        membership.renew_broker(group.files, ("localhost",), group.terms)
        await group.tell()
