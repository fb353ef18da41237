"""Certificates come to their end: `status` says so in time, and what to do; after it the reason is told."""

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
    ends = Ends(own and NOW + own, brokers and NOW + brokers)
    warning = ends.warning(NOW)
    assert (warning and warning.code) == code
    if warning:
        assert warning.advice
        assert int(warning.values["days"]) >= 0
