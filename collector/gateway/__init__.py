"""The gateway as one thing: its way to the broker, its condition, and what can be asked of it."""

from collector.gateway.gateway import Gateway

__all__ = ["Gateway"]
