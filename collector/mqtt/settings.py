"""What the configuration says about the broker."""

from typing import Annotated, Literal

from pydantic import Field

from collector.settings import CredentialPath, PositiveFinite, Settings


class TlsSettings(Settings):
    """TLS to the broker; without `ca_file` the system's authorities are trusted."""

    ca_file: CredentialPath | None = None
    """The certificate authority that signed the broker's certificate (PEM)."""
    cert_file: CredentialPath | None = None
    """This gateway's own certificate (PEM), with `key_file`."""
    key_file: CredentialPath | None = None
    """The private key of `cert_file` (PEM, no passphrase)."""


class BrokerSettings(Settings):
    """The MQTT broker of the study group."""

    host: str = Field(min_length=1)
    """The broker's name or address, without port."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """8883 with TLS, 1883 without, unless given."""
    protocol: Literal["mqtt5", "mqtt311"] = "mqtt5"
    """The version of MQTT that the broker speaks. With "mqtt311" it cannot say that it refuses a record: one
    that its access rules forbid is lost, and counts as delivered. So take it only where "mqtt5" fails."""
    user: str | None = None
    """The user's name at the broker, with `password_file`."""
    password_file: CredentialPath | None = None
    """A file that holds the password alone. `credential:NAME` names a systemd credential."""
    client_id: str | None = None
    """Given by the broker's administrator; else made of company and gateway."""
    keepalive_s: Annotated[int, Field(ge=5, le=3600)] = 30
    """The broker takes the gateway for lost when it hears nothing for one and a half times as long."""
    tls: TlsSettings | None = None
    """Leave the table out for a connection without TLS."""
    in_flight: Annotated[int, Field(ge=1, le=1000)] = 64
    """The most records sent and not yet acknowledged."""
    reconnect_max_s: PositiveFinite = 60.0
    """The longest pause between two attempts to connect."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port or (8883 if self.tls else 1883)

    @property
    def where(self) -> str:
        """Host and port as text."""
        host, port = self.address
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
