"""What is told of the gateway: the reports of its parts, and the status that is published of them.

The published status says less than the report: codes instead of sentences, whose values may name files and
ports of the company.
"""

from typing import Literal

from collector import __version__
from collector.clock import UtcClock
from collector.gateway.host import Host
from collector.health import Condition, GatewayReport, HostReport, OutboxReport, State
from collector.messages import Status
from collector.outbox import OutboxState
from collector.texts import Sentence
from collector.texts import gateway as say
from collector.times import iso8601

_OF_A_SOURCE = {
    "state",
    "since_us",
    "origin",
    "nominal_hz",
    "measured_hz",
    "rate_state",
    "last_data_us",
    "windows",
    "gaps",
    "lost",
    "lost_estimated",
    "delivers",
    "points",
    "good",
    "uncertain",
    "bad",
    "stale",
    "withheld",
    "readings",
    "offset_s",
}
_OF_THE_OUTBOX = {"pending", "awaiting", "oldest_us", "oldest_sync", "dropped", "corrupt", "rejected"}
_STORE_SILENT_S = 120.0
"""So long a store may rest, as for a restart, before anybody is called."""


def judge_outbox(state: OutboxState) -> tuple[State, Sentence | None]:
    """How the outbox is, and why."""
    if state.disk_failing and state.last_disk_error is not None:
        return State.FAILED, state.last_disk_error
    if state.dropped:
        return State.DEGRADED, say.OUTBOX_DROPPING(dropped=state.dropped)
    if state.rejected:
        reasons = ", ".join(sorted(state.rejected_reasons))
        return State.DEGRADED, say.OUTBOX_REJECTED(rejected=state.rejected, reasons=reasons)
    if state.store_silent_s > _STORE_SILENT_S:
        minutes = int(state.store_silent_s / 60)
        return State.DEGRADED, say.STORE_SILENT(pending=state.records, minutes=minutes)
    if state.corrupt:
        return State.DEGRADED, say.OUTBOX_CORRUPT(corrupt=state.corrupt)
    return State.OK, None


def outbox_report(condition: Condition, state: OutboxState) -> OutboxReport:
    """The outbox for `collector status`."""
    return OutboxReport(
        **condition.facts(),
        pending=state.records,
        awaiting=state.awaiting,
        memory_bytes=state.memory_bytes,
        disk_bytes=state.disk_bytes,
        oldest_us=state.oldest_us,
        oldest_sync=state.oldest_sync,
        hours_left=state.hours_left,
        dropped=state.dropped,
        corrupt=state.corrupt,
        rejected=state.rejected,
        rejected_reasons=dict(state.rejected_reasons),
    )


def host_report(condition: Condition, host: Host, clock: UtcClock) -> HostReport:
    """The gateway's hardware and clock for `collector status`."""
    return HostReport(
        **condition.facts(),
        synchronised=clock.synchronised,
        disk_free_bytes=host.disk_free_bytes,
        temperature_c=host.temperature_c,
        under_voltage=host.under_voltage,
    )


def published_status(
    report: GatewayReport, state: Literal["healthy", "degraded", "stopped"], *, sync: bool
) -> Status:
    """The retained status record."""
    return Status(
        state=state,
        epoch=report.epoch,
        version=report.version,
        t_us=report.now_us,
        t=iso8601(report.now_us),
        sync=sync,
        sources={
            name: source.model_dump(mode="json", include=_OF_A_SOURCE)
            for name, source in report.sources.items()
        },
        machines={
            name: {"state": machine.activity, "since_us": machine.activity_since_us}
            for name, machine in report.machines.items()
        },
        outbox=report.outbox.model_dump(mode="json", include=_OF_THE_OUTBOX),
        problems=[
            {"part": name, "code": part.reason.code}
            for name, part in report.parts.items()
            if part.reason and not part.state.healthy
        ],
    )


def offline_status(epoch: str) -> Status:
    """The last will: what the broker publishes when the gateway vanishes."""
    return Status(state="offline", epoch=epoch, version=__version__, t_us=None, t=None, sync=None)
