"""A subscription: the server samples, keeps what changes, and sends it; also that nothing has changed.

Every message is looked at as it comes, below asyncua's queues and tasks for single values: so none is lost on
the way, the signs of life are seen, and a missing message shows in the numbering. It loads asyncua.
"""

import itertools
from collections.abc import Callable, Sequence

from asyncua import ua

from collector.errors import SourceError
from collector.points import Arrival, Reading
from collector.sources.opcua.connection import Connection
from collector.sources.opcua.failures import status_name
from collector.sources.opcua.handover import Handover, Losses
from collector.sources.opcua.sampled import Sampled
from collector.sources.opcua.settings import OpcuaSettings
from collector.sources.opcua.wanted import heartbeats, sampling_s
from collector.texts import opcua as say

_LIFETIME_MS = 60_000.0
"""The server forgets a subscription that nobody asked for so long."""
_TOGETHER = 100
_SEQUENCE_NUMBERS = 0xFFFFFFFF
_FILTER_REFUSED = {
    "BadFilterNotAllowed",
    "BadMonitoredItemFilterInvalid",
    "BadMonitoredItemFilterUnsupported",
    "BadDeadbandFilterInvalid",
}


class Subscription:
    """One subscription with its monitored items."""

    def __init__(
        self,
        connection: Connection,
        settings: OpcuaSettings,
        sampled: Sampled,
        handover: Handover,
        losses: Losses,
        monotonic_ns: Callable[[], int],
    ) -> None:
        self.heard_ns = monotonic_ns()
        """When the server last sent something, be it that nothing changed."""
        self.heartbeat_s = 1.0
        """How often it sends something at least, by its own word: it may revise what was asked."""
        self.incomplete = False
        """Whether a message is missing: all has to be read anew before it can be vouched for."""
        self._connection = connection
        self._settings = settings
        self._sampled = sampled
        self._handover = handover
        self._losses = losses
        self._monotonic_ns = monotonic_ns
        self._id = 0
        self._nodes: dict[int, ua.NodeId] = {}
        """By our handle, which comes with every value."""
        self._items: dict[ua.NodeId, tuple[int, int, float]] = {}
        """Our handle, the server's, and the seconds after which it looks at the node, by its own word."""
        self._handles = itertools.count(1)
        self._expected = 1

    async def start(self) -> None:
        """Make it at the server.

        Raises:
            SourceError: the server refuses, or cannot be reached.
        """
        beats, publishing_ms = heartbeats(self._settings), self._settings.publishing_ms
        parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=publishing_ms,
            RequestedMaxKeepAliveCount=beats,
            RequestedLifetimeCount=max(3 * beats, round(_LIFETIME_MS / publishing_ms)),
            MaxNotificationsPerPublish=0,
            PublishingEnabled=True,
            Priority=0,
        )
        with self._connection.translated():
            answer = await self._connection.session.create_subscription(parameters, self._published)
        self._id = answer.SubscriptionId
        self.heartbeat_s = answer.RevisedPublishingInterval * answer.RevisedMaxKeepAliveCount / 1000

    async def add(self, nodes: Sequence[ua.NodeId]) -> dict[ua.NodeId, str]:
        """Let the server watch nodes, which `sampled` knows; gives those that it cannot watch, with why.

        Raises:
            SourceError: the server refuses altogether, or cannot be reached.
        """
        refused = await self._monitor(nodes, with_deadband=True)
        again = [node for node, status in refused.items() if status in _FILTER_REFUSED]
        # Without the deadband there is more to send, and nothing is lost.
        still_refused = await self._monitor(again, with_deadband=False)
        return {node: status for node, status in refused.items() if node not in again} | still_refused

    def period_s(self, node: ua.NodeId) -> float:
        """Seconds from one sign of a node that is watched to the next."""
        _, _, sampled_s = self._items[node]
        return max(sampled_s, self.heartbeat_s)

    async def remove(self, nodes: Sequence[ua.NodeId]) -> None:
        """Let the server watch nodes no more; whether it still knows them does not matter.

        Raises:
            SourceError: the server cannot be reached.
        """
        items = [self._items.pop(node) for node in nodes if node in self._items]
        for handle, _, _ in items:
            del self._nodes[handle]
        if items:
            parameters = ua.DeleteMonitoredItemsParameters(self._id, [theirs for _, theirs, _ in items])
            with self._connection.translated():
                await self._connection.session.delete_monitored_items(parameters)

    async def _monitor(self, nodes: Sequence[ua.NodeId], *, with_deadband: bool) -> dict[ua.NodeId, str]:
        refused: dict[ua.NodeId, str] = {}
        for start in range(0, len(nodes), _TOGETHER):
            requests = [
                self._request(node, with_deadband=with_deadband) for node in nodes[start : start + _TOGETHER]
            ]
            parameters = ua.CreateMonitoredItemsParameters(
                SubscriptionId=self._id,
                TimestampsToReturn=ua.TimestampsToReturn.Source,
                ItemsToCreate=requests,
            )
            with self._connection.translated():
                results = await self._connection.session.create_monitored_items(parameters)
            for request, result in zip(requests, results, strict=True):
                handle = request.RequestedParameters.ClientHandle
                if result.StatusCode.is_good():
                    sampled_s = result.RevisedSamplingInterval / 1000
                    self._items[self._nodes[handle]] = handle, result.MonitoredItemId, sampled_s
                else:
                    refused[self._nodes.pop(handle)] = status_name(result.StatusCode.value)
        return refused

    def _request(self, node: ua.NodeId, *, with_deadband: bool) -> ua.MonitoredItemCreateRequest:
        wanted = [item.wanted for item in self._sampled.points(node)]
        handle = next(self._handles)
        self._nodes[handle] = node  # before the answer, for a value may come first
        deadband = min(one.deadband for one in wanted)
        change = ua.DataChangeFilter(
            Trigger=ua.DataChangeTrigger.StatusValue,
            DeadbandType=int(ua.DeadbandType.Absolute),
            DeadbandValue=deadband,
        )
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(NodeId=node, AttributeId=ua.AttributeIds.Value),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=ua.MonitoringParameters(
                ClientHandle=handle,
                SamplingInterval=1000 * min(sampling_s(self._settings, one.every_s) for one in wanted),
                Filter=change if with_deadband and deadband > 0 else None,
                QueueSize=self._settings.queue_size,
                DiscardOldest=True,
            ),
        )

    def _published(self, result: ua.PublishResult) -> None:
        try:
            self._take(result)
        except Exception as error:  # noqa: BLE001 (asyncua would log it and go on; it has to end this connection)
            self._handover.fail(error)

    def _take(self, result: ua.PublishResult) -> None:
        """Look at one message: values, or only a sign of life."""
        now_ns = self.heard_ns = self._monotonic_ns()
        notifications = result.NotificationMessage.NotificationData or ()
        readings: list[Reading] = []
        for notification in notifications:
            if isinstance(notification, ua.StatusChangeNotification):
                status = status_name(notification.Status.value)
                raise SourceError(say.SUBSCRIPTION_ENDED(url=self._settings.url, status=status))
            if isinstance(notification, ua.DataChangeNotification):
                for item in notification.MonitoredItems or ():
                    node = self._nodes.get(item.ClientHandle)
                    if node is not None:
                        readings += self._sampled.readings(node, item.Value, now_ns)
        self._count(result.NotificationMessage.SequenceNumber, has_data=bool(notifications))
        whole = not result.MoreNotifications and not self.incomplete
        vouched = self._sampled.unchanged(readings) if whole else frozenset()
        self._handover.put(Arrival(now_ns, tuple(readings), vouched, origins=self._sampled.origins))

    def _count(self, number: int, *, has_data: bool) -> None:
        """See from a message's number whether others are missing; a sign of life has that of the next."""
        ahead = (number - self._expected) % _SEQUENCE_NUMBERS
        if 0 < ahead < _SEQUENCE_NUMBERS // 2:
            self._losses.messages += ahead
            self.incomplete = True
            self._expected = number
        if has_data:
            self._expected = number % _SEQUENCE_NUMBERS + 1
