"""collector: an edge data collector for machine tools."""

from importlib.metadata import version

__version__ = version("collector")
