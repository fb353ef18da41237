"""A real OPC UA server in a process of its own, that tests start, tell what to say, stop, hang and kill.

As a program it serves what its first argument (JSON) describes, and obeys JSON lines on its standard input.
"""

import asyncio
import contextlib
import json
import logging
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from asyncua import Server, ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.binary_server_asyncio import BinaryServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BENCH = "urn:collector:bench"
URI = "urn:collector:test-server"
NODE_SETS = (
    "Opc.Ua.Di.NodeSet2.xml",
    "Opc.Ua.Machinery.NodeSet2.xml",
    "Opc.Ua.IA.NodeSet2.xml",
    "Opc.Ua.MachineTool.NodeSet2.xml",
    "Machinetool-Example.xml",
)
BENCH_NODES: dict[str, tuple[Any, str]] = {
    "speed": (1500.0, "Double"),
    "load": (40.0, "Double"),
    "mode": (1, "Int32"),
    "cutting": (True, "Boolean"),
    "program": ("O1234", "String"),
    "spare": (0.0, "Double"),
}


class OpcuaServer:
    """The parent's side: a server process on one port, which may be ended and started again."""

    def __init__(self, port: int, **description: Any) -> None:
        self.port = port
        self.url = f"opc.tcp://127.0.0.1:{port}"
        self.description = {"port": port, **description}
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait until it serves."""
        command = [sys.executable, __file__, json.dumps(self.description)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    def signal(self, number: signal.Signals) -> None:
        """SIGSTOP lets it hang, SIGCONT go on."""
        assert self._process is not None
        self._process.send_signal(number)

    def end(self) -> None:
        """Kill it: nobody is told."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.communicate()
            self._process = None

    def write(self, node: str, value: Any, type_: str | None = None, status: int = 0, **more: Any) -> None:
        """Let a node have this value and status; `source_time=False` leaves its time stamp out."""
        self._tell(do="write", node=node, value=value, type_=type_, status=status, **more)

    def burst(self, node: str, values: list[float]) -> None:
        """Write values one after the other, as fast as possible."""
        self._tell(do="burst", node=node, values=values)

    def delete(self, node: str) -> None:
        """Let a node vanish."""
        self._tell(do="delete", node=node)

    def become(self, **description: Any) -> None:
        """Cut all connections, and go on with other certificates, policies and users."""
        self._tell(do="become", port=self.port, **description)

    def create(self, name: str, value: float) -> None:
        """Make a node on the bench."""
        self._tell(do="create", name=name, value=value)

    def _tell(self, **command: Any) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        self._answer()

    def _answer(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line == "done\n", f"the server said {line!r}"


@contextlib.contextmanager
def serving(port: int, **description: Any) -> Iterator[OpcuaServer]:
    """A server for as long as the block lasts."""
    server = OpcuaServer(port, **description)
    server.start()
    try:
        yield server
    finally:
        server.end()


def bench(name: str) -> str:
    """The id of a node on the bench, by the URI of its namespace."""
    return f"nsu={BENCH};s={name}"


def make_certificate(folder: Path, name: str, *, days: int = 10) -> tuple[Path, Path]:
    """A server's certificate (DER) and key (PEM), valid for so long; negative days: expired."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names = [x509.UniformResourceIdentifier(URI), x509.DNSName("localhost")]
    usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=20))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / f"{name}.der", folder / f"{name}.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate_file, key_file


class _Users:
    """Lets in who has this name and password, or this certificate."""

    def __init__(self, description: dict[str, Any]) -> None:
        self._user = description.get("user")
        self._password = description.get("password")
        self._certificate = description.get("user_certificate")

    def get_user(
        self, _server: Any, username: str | None = None, password: str | None = None, certificate: Any = None
    ) -> User | None:
        """Who it is, or None."""
        someone = User(role=UserRole.Admin, name=username or "nobody")
        if self._user is None and self._certificate is None:
            return someone
        if self._user is not None and username == self._user:
            return someone if password == self._password else None
        if self._certificate is not None and certificate is not None and username is None:
            return someone if certificate == Path(self._certificate).read_bytes() else None
        return None


async def _serve(description: dict[str, Any]) -> None:
    server = Server()
    await server.init()
    await server.set_application_uri(URI)
    server.set_endpoint(f"opc.tcp://127.0.0.1:{description['port']}")
    for number in range(description.get("shift", 0)):
        await server.register_namespace(f"urn:collector:shift-{number}")
    for node_set in NODE_SETS if "node_sets" in description else ():
        await server.import_xml(str(Path(description["node_sets"]) / node_set))
    index = await server.register_namespace(BENCH)
    folder = await server.nodes.objects.add_folder(
        ua.NodeId("bench", index), ua.QualifiedName("Bench", index)
    )
    for name, (value, type_) in BENCH_NODES.items():
        await _add(folder, index, name, value, type_)
    for number in range(description.get("many", 0)):
        await _add(folder, index, f"many-{number}", 0.0, "Double")
    await _secure(server, description)
    if "publishes_ms" in description:
        _publish_no_faster(server, description["publishes_ms"])
    async with server:
        print("done", flush=True)  # noqa: T201 (this is how it answers)
        await _obey(server, folder, index)


def _publish_no_faster(server: Any, least_ms: float) -> None:
    """Revise what clients ask for, as controllers do."""
    service = server.iserver.subscription_service
    create = service.create_subscription

    async def revising(parameters: Any, *others: Any, **more: Any) -> Any:
        parameters.RequestedPublishingInterval = max(parameters.RequestedPublishingInterval, least_ms)
        return await create(parameters, *others, **more)

    service.create_subscription = revising


async def _secure(server: Any, description: dict[str, Any]) -> None:
    """Certificates, policies and users as described."""
    policies = description.get("policies", ["NoSecurity"])
    server.set_security_policy([getattr(ua.SecurityPolicyType, policy) for policy in policies])
    server.iserver.certificate = server.iserver.private_key = None
    if "certificate" in description:
        await server.load_certificate(Path(description["certificate"]).read_bytes(), "der")
        await server.load_private_key(Path(description["key"]).read_bytes(), format="pem")
    server.iserver.certificate_validator = _refuse if description.get("trusts_nobody") else None
    server.iserver.user_manager = _Users(description)


async def _become(server: Any, description: dict[str, Any]) -> None:
    """Listen anew with other certificates, policies and users, but the same nodes."""
    await server.bserver.stop()
    server.iserver.endpoints.clear()
    server._policies.clear()
    await _secure(server, description)
    await server._setup_server_nodes()
    server.bserver = BinaryServer(server.iserver, "127.0.0.1", description["port"], server.limits)
    server.bserver.set_policies(server._policies)
    await server.bserver.start()


async def _refuse(*_: Any) -> None:
    raise ServiceError(ua.StatusCodes.BadCertificateUntrusted)


async def _add(folder: Any, index: int, name: str, value: Any, type_: str) -> None:
    variant = ua.Variant(value, getattr(ua.VariantType, type_))
    await folder.add_variable(ua.NodeId(name, index), ua.QualifiedName(name, index), variant)


async def _obey(server: Any, folder: Any, index: int) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    async for line in reader:
        command = json.loads(line)
        match command.pop("do"):
            case "become":
                await _become(server, command)
            case "write":
                await _write(server, **command)
            case "burst":
                for value in command["values"]:
                    await _write(server, command["node"], value, "Double", 0)
            case "delete":
                await server.delete_nodes([await _node(server, command["node"])])
            case "create":
                await _add(folder, index, command["name"], command["value"], "Double")
        print("done", flush=True)  # noqa: T201


async def _write(
    server: Any, node: str, value: Any, type_: str | None, status: int, source_time: bool = True
) -> None:
    at = await _node(server, node)
    kind = await at.read_data_type_as_variant_type() if type_ is None else getattr(ua.VariantType, type_)
    if isinstance(value, str) and kind in {ua.VariantType.Double, ua.VariantType.Float}:
        value = float(value)  # JSON has no NaN
    if kind is ua.VariantType.LocalizedText:
        value = ua.LocalizedText(value)
    if kind is ua.VariantType.NodeId:
        value = (await _node(server, value)).nodeid
    variant = ua.Variant(value, kind) if value is not None else ua.Variant()
    stamp = datetime.now(UTC) if source_time else None
    data = ua.DataValue(variant, ua.StatusCode(status), SourceTimestamp=stamp)
    # Without a value before, the server takes one of any type; a controller with a mistake does the same.
    server.iserver.aspace._nodes[at.nodeid].attributes[ua.AttributeIds.Value].value = None
    await server.write_attribute_value(at.nodeid, data)


async def _node(server: Any, text: str) -> Any:
    if text.startswith("nsu="):
        uri, _, rest = text.removeprefix("nsu=").partition(";")
        text = f"ns={await server.get_namespace_index(uri)};{rest}"
    return server.get_node(text)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(_serve(json.loads(sys.argv[1])))
