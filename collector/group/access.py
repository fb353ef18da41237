"""Who may do what at the broker, as mosquitto's access list; pure.

What no rule allows is refused: other members' topics, wildcards beyond one's own, `$SYS`, and everything to a
member whose certificates are all taken back.
"""

from collector.group.register import Party, Register
from collector.messages import RECEIPT

_HEAD = """\
# Written by `collector group`; changes made here are lost.
# A name stands for the certificate that bears it. What no rule allows is refused.
"""


def access_list(register: Register) -> str:
    """The access list of the whole group."""
    parties = sorted((party for party in register.parties if party.standing), key=lambda party: party.title)
    entries = ("\n".join(("", f"user {party.user}", *rules(party, register.root), "")) for party in parties)
    return _HEAD + "".join(entries)


def rules(party: Party, root: str) -> list[str]:
    """What one party may do."""
    match party.kind:
        case "gateway":
            return [
                f"topic write {root}/{party.company}/{party.name}/#",
                f"topic read {root}/{RECEIPT}/{party.company}/{party.name}",
            ]
        case "ingester":
            # Everything but receipts is what gateways wrote; it forges none of it.
            return [f"topic read {root}/#", f"topic write {root}/{RECEIPT}/+/+"]
        case "researcher":
            return [f"topic read {root}/{company}/#" for company in party.companies]
