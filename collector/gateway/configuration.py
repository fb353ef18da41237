"""The configuration in use, beside the one on disk: whether they differ, and what is wrong with either."""

import asyncio
from pathlib import Path

from collector.clock import UtcClock
from collector.config import Config, ConfigError, changed_us, load, save_last_good
from collector.errors import ControlError
from collector.health import Condition, ConfigurationReport, State
from collector.messages import Topics
from collector.texts import Sentence
from collector.texts import gateway as say

_LOAD_S = 2.0
"""How long the configuration on disk may take, when we stop."""


class Configuration:
    """`config` is in use; `began` says how it was when it was loaded for that."""

    def __init__(
        self,
        config: Config,
        folder: Path,
        state_folder: Path,
        began: tuple[State, Sentence | None],
        clock: UtcClock,
    ) -> None:
        self.config = config
        self._folder = folder
        self._state_folder = state_folder
        state, reason = began
        self._condition = Condition(clock, state, reason)
        self._left_behind: Sentence | None = None
        """What the broker keeps under another name that we had, where we may not write now."""
        self._changed_us: int | None = None
        """When its files were changed, where they no longer say what is in use."""

    @property
    def topics(self) -> Topics:
        """Where the gateway of this name publishes."""
        return _topics(self.config)

    def leaves_behind(self, sentence: Sentence) -> None:
        """The name in it leaves something behind at the broker, which is told while nothing is wrong."""
        self._left_behind = sentence
        if self._condition.state is State.OK:
            self._condition.change(State.OK, sentence)

    def report(self) -> ConfigurationReport:
        """How it is."""
        return ConfigurationReport(**self._condition.facts(), changed_us=self._changed_us)

    async def look(self) -> None:
        """Notice that the one on disk is no longer the one in use: somebody forgot to reload it."""
        config = self.config
        changed = await asyncio.to_thread(changed_us, config)
        if config is not self.config:  # it was reloaded meanwhile
            return
        self._changed_us = changed
        if self._condition.state is State.OK:
            self._condition.change(State.OK, self._left_behind if changed is None else say.NOT_RELOADED())

    async def load(self) -> tuple[Config, Sentence | None]:
        """The one on disk, to be used from now on, and why it could not be saved as the last good one.

        Raises:
            ConfigError: it is wrong.
            ControlError: it changes what only a restart can change.
        """
        try:
            # In a thread: a damaged file can take seconds to explain.
            config = await asyncio.to_thread(load, self._folder, to_run=True)
        except ConfigError as error:
            self._condition.change(State.FAILED, say.RELOAD_REFUSED(count=len(error.problems)))
            raise
        for table in ("gateway", "outbox", "control", "sharing"):
            if getattr(config, table) != getattr(self.config, table):
                needs_restart = say.NEEDS_RESTART(table=table)
                self._condition.change(State.DEGRADED, needs_restart)
                raise ControlError(needs_restart)
        return config, await asyncio.to_thread(save_last_good, self._folder, self._state_folder)

    def take(self, config: Config, unsaved: Sentence | None) -> None:
        """What `load` gave is in use now."""
        self.config, self._changed_us = config, None
        self._condition.change(State.DEGRADED if unsaved else State.OK, unsaved or self._left_behind)

    async def gets_another_name(self) -> bool:
        """Whether the next start is to be under another name, as far as can be told soon."""
        try:
            async with asyncio.timeout(_LOAD_S):  # a stop waits for no disk
                config = await asyncio.to_thread(load, self._folder)
        except (ConfigError, TimeoutError):  # a start takes the last good one instead of a wrong one
            return False
        return _topics(config) != self.topics


def _topics(config: Config) -> Topics:
    return Topics(config.gateway.root, config.gateway.company, config.gateway.name)
