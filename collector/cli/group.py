"""The commands with which the group's administrator runs the group: `collector group …`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from collector.cli.commands import Commands
from collector.cli.files import tell
from collector.cli.screen import print_page
from collector.clock import today
from collector.enrolment import read_request
from collector.errors import EnrolmentError, UsageError
from collector.group import membership
from collector.group.broker import tell_broker
from collector.group.folder import GroupFolder
from collector.group.membership import CERTIFICATE_DAYS, ENROLMENT_DAYS, Issued, Terms
from collector.group.register import Log, Party, Register
from collector.local_time import local_day, local_minute
from collector.texts import group as say

group = typer.Typer(
    cls=Commands,
    help="Run the group: who belongs to it, certificates, and the broker.",
    no_args_is_help=True,
    add_completion=False,
)

DEFAULT_GROUP = Path("/etc/collector-group")
DEFAULT_PID_FILE = Path("/run/mosquitto/mosquitto.pid")

Group = Annotated[
    Path,
    typer.Option("--group", "-g", envvar="COLLECTOR_GROUP", help="The group's folder.", show_default=True),
]
PidFile = Annotated[
    Path, typer.Option(envvar="COLLECTOR_BROKER_PID_FILE", help="Tells which running mosquitto to notify.")
]
Days = Annotated[int, typer.Option(min=1, max=7300, help="How long the certificate holds.")]
EnrolmentDays = Annotated[int, typer.Option(min=1, max=90, help="How long the enrolment can be used.")]
RequestFile = Annotated[
    Path | None, typer.Option(help="A request that `collector enroll --request` made: the key stays there.")
]
Companies = Annotated[
    list[str] | None, typer.Option("--company", help="Whose data it may read; once for each company.")
]


@group.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where to keep the group.")] = DEFAULT_GROUP,
    host: Annotated[
        list[str] | None, typer.Option(help="The broker's name or address; members use the first.")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="For gateways.")] = 8883,
    readers_port: Annotated[
        int, typer.Option(min=1, max=65535, help="For researchers and ingesters.")
    ] = 8884,
    root: Annotated[str, typer.Option(help="Where all topics begin.")] = "shopfloor/v1",
    days: Days = CERTIFICATE_DAYS,
) -> None:
    """Begin a group: authorities, the broker's certificate, and mosquitto's configuration."""
    if not host:
        raise UsageError(say.HOST_MISSING())
    terms = Terms(today(), days)
    group = GroupFolder(folder.absolute())
    membership.begin(group, membership.new_register(root, host, port, readers_port, terms), terms)
    tell(say.MADE(folder=str(group.path)))
    tell(say.LINK(configuration=str(group.broker / "mosquitto.conf")))


@group.command()
def add_company(
    company: Annotated[str, typer.Argument(help="Its name in all topics.")], group: Group = DEFAULT_GROUP
) -> None:
    """Let a company have gateways."""
    membership.add_company(GroupFolder(group), company)
    tell(say.COMPANY_ADDED(name=company))


@group.command()
def add_gateway(
    company: Annotated[str, typer.Argument(help="Whose it is.")],
    gateway: Annotated[str, typer.Argument(help="Its name in the company's topics.")],
    request: RequestFile = None,
    days: Days = CERTIFICATE_DAYS,
    enrolment_days: EnrolmentDays = ENROLMENT_DAYS,
    group: Group = DEFAULT_GROUP,
    broker_pid_file: PidFile = DEFAULT_PID_FILE,
) -> None:
    """Let a gateway write its topics; makes the file that it is enrolled with."""
    terms = Terms(today(), days, enrolment_days, _request(request))
    _hand_over(membership.add_gateway(GroupFolder(group), company, gateway, terms), broker_pid_file)


@group.command()
def add_ingester(
    name: Annotated[str, typer.Argument(help="One name for each ingester that runs.")],
    request: RequestFile = None,
    days: Days = CERTIFICATE_DAYS,
    enrolment_days: EnrolmentDays = ENROLMENT_DAYS,
    group: Group = DEFAULT_GROUP,
    broker_pid_file: PidFile = DEFAULT_PID_FILE,
) -> None:
    """Let an ingester of the store read everything and write receipts."""
    terms = Terms(today(), days, enrolment_days, _request(request))
    _hand_over(membership.add_reader(GroupFolder(group), "ingester", name, (), terms), broker_pid_file)


@group.command()
def add_researcher(
    name: Annotated[str, typer.Argument(help="One name for each program that listens at the same time.")],
    company: Companies = None,
    request: RequestFile = None,
    days: Days = CERTIFICATE_DAYS,
    enrolment_days: EnrolmentDays = ENROLMENT_DAYS,
    group: Group = DEFAULT_GROUP,
    broker_pid_file: PidFile = DEFAULT_PID_FILE,
) -> None:
    """Let a researcher read the data of some companies, live."""
    terms = Terms(today(), days, enrolment_days, _request(request))
    issued = membership.add_reader(GroupFolder(group), "researcher", name, company or (), terms)
    _hand_over(issued, broker_pid_file)


@group.command()
def may_read(
    name: Annotated[str, typer.Argument(help="The researcher.")],
    company: Companies = None,
    group: Group = DEFAULT_GROUP,
    broker_pid_file: PidFile = DEFAULT_PID_FILE,
) -> None:
    """Set whose data a researcher may read from now on; without --company nobody's."""
    membership.may_read(GroupFolder(group), name, company or ())
    tell(say.MAY_READ(name=name, companies=", ".join(company or ()) or "-"))
    _notify(broker_pid_file)


@group.command()
def renew(
    member: Annotated[str, typer.Argument(help="COMPANY/GATEWAY, a name, or broker.")],
    request: RequestFile = None,
    host: Annotated[
        list[str] | None, typer.Option(help="Of the broker: its names from now on, if they change.")
    ] = None,
    days: Days = CERTIFICATE_DAYS,
    enrolment_days: EnrolmentDays = ENROLMENT_DAYS,
    group: Group = DEFAULT_GROUP,
    broker_pid_file: PidFile = DEFAULT_PID_FILE,
) -> None:
    """Issue the next certificate, before the present one ends; that one stays good until then."""
    terms = Terms(today(), days, enrolment_days, _request(request))
    if member == "broker":
        register = membership.renew_broker(GroupFolder(group), host or (), terms)
        tell(say.BROKER_RENEWED(hosts=", ".join(register.hosts), date=local_day(register.broker_until)))
        _notify(broker_pid_file)
    else:
        _hand_over(membership.renew(GroupFolder(group), member, terms), broker_pid_file)


@group.command()
def revoke(
    member: Annotated[
        str, typer.Argument(help="COMPANY/GATEWAY, a name, or a COMPANY with all its gateways.")
    ],
    group: Group = DEFAULT_GROUP,
    broker_pid_file: PidFile = DEFAULT_PID_FILE,
) -> None:
    """Take all certificates of a member back, and its rights."""
    for party in membership.revoke(GroupFolder(group), member, today()):
        tell(say.REVOKED(name=party.title))
    _notify(broker_pid_file)


@group.command("list")
def list_(group: Group = DEFAULT_GROUP) -> None:
    """Show who belongs to the group, what each may do, and until when."""
    now = today()
    register = GroupFolder(group).read_register()
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for heading in (say.MEMBER, say.KIND, say.MAY, say.UNTIL):
        table.add_column(str(heading()), overflow="fold")
    table.add_row(
        "broker", str(say.BROKER()), ", ".join(register.hosts), _day_left(register.broker_until, now)
    )
    for party in sorted(register.parties, key=lambda party: (party.kind, party.title)):
        table.add_row(party.title, str(say.KINDS[party.kind]()), _may(party, register), _until(party, now))
    print_page(table)
    without = [c for c in register.companies if not any(register.of_company(c))]
    if without:
        tell(say.WITHOUT_GATEWAYS(names=", ".join(sorted(without))))


@group.command()
def apply(
    log: Annotated[
        Log | None, typer.Option(help="What the broker logs: refused messages too, or connections only.")
    ] = None,
    group: Group = DEFAULT_GROUP,
    broker_pid_file: PidFile = DEFAULT_PID_FILE,
) -> None:
    """Make again everything that mosquitto reads, for example after the folder has moved."""
    membership.apply(GroupFolder(group), log)
    tell(say.APPLIED(folder=str(GroupFolder(group).broker)))
    _notify(broker_pid_file)


def _hand_over(issued: Issued, pid_file: Path) -> None:
    """Say what to do with an enrolment; the one time that its secret is seen."""
    if issued.fingerprint is not None:
        tell(say.FINGERPRINT(fingerprint=issued.fingerprint))
    tell(say.ENROLMENT(file=str(issued.file), name=issued.party.title, date=local_minute(issued.expires)))
    tell(say.SECRET(secret=issued.secret))
    _notify(pid_file)
    if any(certificate.revoked for certificate in issued.party.certificates):
        tell(say.WAS_REVOKED(name=issued.party.title))


def _notify(pid_file: Path) -> None:
    """Let the broker know, or say how."""
    tell(say.BROKER_TOLD() if tell_broker(pid_file) else say.TELL_BROKER())


def _request(file: Path | None) -> bytes | None:
    if file is None:
        return None
    try:
        content = file.read_bytes()
    except OSError as error:
        raise EnrolmentError(say.REQUEST_UNREADABLE(file=str(file), reason=error.strerror or "?")) from None
    read_request(content)
    return content


def _may(party: Party, register: Register) -> str:
    if party.kind == "gateway":
        return str(say.MAY_WRITE(topic=f"{register.root}/{party.company}/{party.name}"))
    if party.kind == "ingester":
        return str(say.MAY_INGEST())
    return str(say.MAY_READ_OF(companies=", ".join(party.companies) or "-"))


def _until(party: Party, now: datetime) -> str:
    if not party.standing:
        return str(say.TAKEN_BACK())
    return _day_left(party.standing[-1].until, now)


def _day_left(until: datetime, now: datetime) -> str:
    left = (until - now).days
    if until < now:
        return str(say.ENDED(date=local_day(until)))
    return str(say.ENDS_SOON(date=local_day(until), days=left)) if left < 30 else local_day(until)
