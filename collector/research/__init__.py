"""Reading the group's data back: `load`, `load_state`, `gaps` from a store or a snapshot, `subscribe` live.

loading.py   records -> data frame               archive.py   database or snapshot
columns.py   what each column is and means       snapshot.py  a snapshot's files
gaps.py      what is missing                     live.py      records as they come
"""

from collector.research.gaps import Missing, gaps
from collector.research.live import Live, subscribe
from collector.research.loading import load, load_state

__all__ = ["Live", "Missing", "gaps", "load", "load_state", "subscribe"]
