"""What members, topics and hosts of a group may be called; a refusal says what to type instead."""

import re
from collections.abc import Iterable

from collector.errors import GroupError
from collector.group.authority import is_host
from collector.group.register import LONGEST_USER, Party, Register
from collector.messages import RECEIPT
from collector.texts import group as say

RESERVED = frozenset({RECEIPT, "broker"})
"""A company called `receipt` could write receipts, and commands mean the broker by its word."""
_NAME = re.compile(r"[a-z0-9-]{1,64}")
_ROOT = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)*")


def check_name(name: str) -> None:
    """Refuse what is no single level of a topic, or means something else.

    Raises:
        GroupError: why.
    """
    if not _NAME.fullmatch(name):
        raise GroupError(say.BAD_NAME(name=name))
    if name in RESERVED:
        raise GroupError(say.RESERVED_NAME(name=name))


def check_new(register: Register, name: str) -> None:
    """Refuse a name that a company, ingester or researcher has.

    Raises:
        GroupError: why.
    """
    check_name(name)
    if name in register.companies or register.find(name) is not None:
        raise GroupError(say.NAME_TAKEN(name=name))


def check_user(party: Party) -> None:
    """Refuse a party whose name does not fit into a certificate.

    Raises:
        GroupError: why.
    """
    if len(party.user) > LONGEST_USER:
        raise GroupError(say.LONG_NAME(name=party.title, most=LONGEST_USER - 1))


def check_companies(register: Register, companies: Iterable[str]) -> None:
    """Refuse companies that do not belong to the group.

    Raises:
        GroupError: why.
    """
    for company in companies:
        if company not in register.companies:
            raise GroupError(say.NO_COMPANY(name=company, known=listed(register.companies)))


def check_register(register: Register) -> None:
    """Refuse a root or a host that can be none.

    Raises:
        GroupError: why.
    """
    for host in register.hosts:
        if not is_host(host):
            raise GroupError(say.BAD_HOST(host=host))
    if not _ROOT.fullmatch(register.root):
        raise GroupError(say.BAD_ROOT(root=register.root))


def find(register: Register, title: str) -> Party:
    """The party that is called so.

    Raises:
        GroupError: there is none.
    """
    party = register.find(title)
    if party is None:
        known = listed([*(party.title for party in register.parties), *register.companies])
        raise GroupError(say.NO_MEMBER(name=title, known=known))
    return party


def listed(names: Iterable[str]) -> str:
    """Names to choose from."""
    return ", ".join(sorted(names)) or "-"
