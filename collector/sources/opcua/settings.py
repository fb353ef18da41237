"""What the configuration says of an OPC UA server and its points, and which keys do not fit together.

Nothing here knows the library; a gateway that only checks its configuration does not load it.
"""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field

from collector.dialling import may_be_host
from collector.points import PointKind
from collector.profiles import load_profile, profile_names
from collector.settings import CredentialPath, PositiveFinite, Settings
from collector.sources.opcua.address import parse_address
from collector.sources.point_settings import PointSettings, ProfileName
from collector.texts import Sentence
from collector.texts import opcua as say

Milliseconds = Annotated[float, Field(ge=10, le=600_000)]


class ConnectionSettings(Settings):
    """How an OPC UA server is reached, and who we are to it."""

    url: Annotated[str, Field(pattern=r"^opc\.tcp://[^/@\s]+(/\S*)?$")] = Field(
        examples=["opc.tcp://192.168.0.10:4840"]
    )
    """The server's address."""
    security: Literal["none", "sign", "sign-and-encrypt"] = "none"
    """How the connection is protected (Basic256Sha256). For that the server's certificate has to be trusted
    first: `collector trust URL`."""
    user: Annotated[str, Field(min_length=1)] | None = None
    """The user's name at the server, with `password_file`; left out, the gateway is anonymous."""
    password_file: CredentialPath | None = None
    """A file that holds the password alone. `credential:NAME` names a systemd credential."""
    user_certificate_file: CredentialPath | None = None
    """Instead of name and password: the certificate (PEM) that the server knows the user by."""
    user_key_file: CredentialPath | None = None
    """The private key of `user_certificate_file` (PEM, no passphrase)."""
    certificate_folder: Path = Path("/var/lib/collector/opcua")
    """Where the gateway's own certificate and those of trusted servers are kept."""
    timeout_s: PositiveFinite = 4.0
    """The longest that the server may take for one answer."""


class OpcuaPointSettings(PointSettings):
    """One node of an OPC UA server."""

    node: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """By id, as in `ns=2;s=/Channel/State/progStatus` or `nsu=http://example.org/;i=12`; or by its path from
    Objects, as in `/Machines/mill/Monitoring/MachineTool/FeedOverride`. A point of the profile needs none."""
    kind: Literal["number", "state", "text"] | None = None
    """A measured quantity, an enumeration or flag, or free text. A number, unless `states` are given."""
    deadband: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """The server keeps changes that are smaller than this to itself."""

    def point_kind(self) -> PointKind:
        """How it is evaluated."""
        return PointKind(self.kind or ("number" if self.states is None else "state"))


class OpcuaSettings(ConnectionSettings):
    """A machine's controller as an OPC UA server."""

    kind: Literal["opcua"]
    mode: Literal["subscription", "polling"] = "subscription"
    """Whether the server tells what changes, or is asked again and again."""
    sampling_ms: Milliseconds = 500.0
    """How often the server looks at a value; and the polling period. A point's `every_s` goes before."""
    publishing_ms: Milliseconds = 500.0
    """How often the server sends what changed."""
    queue_size: Annotated[int, Field(ge=1, le=10_000)] = 10
    """How many changes of one value the server keeps between two sendings."""
    silent_after_s: Annotated[float, Field(ge=2, le=3600)] = 10.0
    """If the server's own clock stands still for so long, the connection is dead and is made anew."""
    profile: ProfileName | None = None
    """A list of points that comes with the collector: `opc-40501-1` for machine tools of this standard, or
    `sinumerik-840dsl`."""
    machine: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Where a server has several machines: the name of the one that the profile is for."""
    points: Annotated[tuple[OpcuaPointSettings, ...], Field(max_length=2000)] = ()
    """The nodes to read, and what differs from the profile."""


def mistakes(settings: OpcuaSettings) -> Iterator[tuple[tuple[str | int, ...], Sentence]]:
    """What does not fit together: the key's path within the source, and what to type instead."""
    if not _has_host(settings.url):
        yield ("url",), say.URL_HOST(found=f'"{settings.url}"')
    for one, other in (("password_file", "user"), ("user_certificate_file", "user_key_file")):
        if getattr(settings, one) is not None and getattr(settings, other) is None:
            yield (one,), say.NEEDS_KEY(key=one, other=other)
    if settings.user_key_file is not None and settings.user_certificate_file is None:
        yield ("user_key_file",), say.NEEDS_KEY(key="user_key_file", other="user_certificate_file")
    if settings.user is not None and settings.user_certificate_file is not None:
        yield ("user",), say.TWO_IDENTITIES()
    if settings.profile is None and not settings.points:
        yield ("points",), say.NO_POINTS()
    known: tuple[str, ...] = ()
    if settings.profile is not None:
        if settings.profile not in profile_names("opcua"):
            yield ("profile",), _unknown_profile(settings.profile)
            return
        known = _templates(settings.profile)
    names: set[str] = set()
    for index, point in enumerate(settings.points):
        if point.name in names:
            yield ("points", index, "name"), say.NAME_TWICE(name=point.name)
        names.add(point.name)
        for key, sentence in _point_mistakes(point, known):
            yield ("points", index, key), sentence


def _point_mistakes(point: OpcuaPointSettings, templates: tuple[str, ...]) -> Iterator[tuple[str, Sentence]]:
    if point.node is not None:
        try:
            parse_address(point.node)
        except ValueError:
            yield "node", say.NOT_A_NODE(node=point.node)
    elif not any(_matches(point.name, template) for template in templates):
        yield "node", say.NODE_MISSING(name=point.name)
    if point.states is not None and point.kind not in {None, "state"}:
        yield "kind", say.STATES_ARE_STATES(name=point.name)
    if point.deadband and point.point_kind() is not PointKind.NUMBER:
        yield "deadband", say.DEADBAND_OF_NUMBER(name=point.name)


def _has_host(url: str) -> bool:
    try:
        place = urlsplit(url)
        return place.port != 0 and may_be_host(place.hostname or "")
    except ValueError:  # brackets that do not close, or a port that is no number
        return False


def _templates(profile: str) -> tuple[str, ...]:
    """The names that a profile can give; `{n}` stands for a number."""
    data = load_profile(profile)
    groups = (
        f"{group['name']}-{{n}}-{point['name']}"
        for group in data.get("groups", ())
        for point in group["points"]
    )
    return (*(point["name"] for point in data.get("points", ())), *groups)


def _matches(name: str, template: str) -> bool:
    before, number, after = template.partition("{n}")
    if not number:
        return name == template
    middle = name.removeprefix(before).removesuffix(after)
    return name == f"{before}{middle}{after}" and middle.isdigit()


def _unknown_profile(found: str) -> Sentence:
    names = profile_names("opcua")
    nearest = difflib.get_close_matches(found.lower(), names, n=1, cutoff=0.0)[0]
    return say.UNKNOWN_PROFILE(profile=found, nearest=nearest, known=", ".join(names))
