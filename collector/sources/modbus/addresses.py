"""From the addresses that people write to a table and a place in it; pure.

A request carries a place that counts from 0. Manuals often count from 1 and put a digit for the table before
it: 5 digits reach the first 9999 places, 6 digits all of them.
"""

from collector.sources.modbus.settings import BIT_TABLES, Address, Addressing, Table

PLACES = 65_536
"""How many registers or bits a table has."""

FUNCTIONS: dict[Table, int] = {"coil": 1, "discrete-input": 2, "holding": 3, "input": 4}
"""The function code that reads each table; there are no others in this program."""

_BY_DIGIT: dict[str, Table] = {"0": "coil", "1": "discrete-input", "3": "input", "4": "holding"}


def locate(table: Table | None, address: Address, addressing: Addressing) -> tuple[Table, int]:
    """Table and place, counted from 0.

    Raises:
        ValueError: the address is not of this kind, or with manual numbers contradicts `table`.
    """
    if addressing == "manual":
        numbered, place = _manual(address)
        if table not in {None, numbered}:
            raise ValueError(f"{address} is in the table {numbered}, not {table}")
        return numbered, place
    if table is None or not isinstance(address, int) or not 0 <= address < PLACES:
        raise ValueError(f"{address} of {table} is no place")
    return table, address


def manual_number(table: Table, place: int) -> str:
    """The number that manuals give to a place, as in `40001` or `465536`."""
    digit = next(digit for digit, name in _BY_DIGIT.items() if name == table)
    return f"{digit}{place + 1:04}" if place < 9999 else f"{digit}{place + 1:05}"


def written(table: Table, place: int, addressing: Addressing) -> str:
    """A place as the configuration counts."""
    return manual_number(table, place) if addressing == "manual" else f"{table} {place}"


def _manual(address: Address) -> tuple[Table, int]:
    """A whole number below 10000 is a coil; TOML allows leading zeros only in quotes."""
    digits = f"{address:05}" if isinstance(address, int) else address
    if len(digits) not in {5, 6} or not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{address} is no number of 5 or 6 digits")
    table, number = _BY_DIGIT.get(digits[0]), int(digits[1:])
    if table is None or not 1 <= number <= PLACES:
        raise ValueError(f"{address} is in no table")
    return table, number - 1


def is_of_bits(table: Table) -> bool:
    """Whether a table holds bits, not registers."""
    return table in BIT_TABLES
