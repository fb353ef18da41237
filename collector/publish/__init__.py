"""From the outbox to the broker, for as long as the daemon runs.

`publisher.py` keeps a connection, `session.py` is what happens on one.
"""

from collector.publish.pauses import Pauses
from collector.publish.publisher import Publisher

__all__ = ["Pauses", "Publisher"]
