"""What went wrong with a connection: from errors and reason codes to sentences that say what to do."""

import socket
import ssl
from datetime import datetime

from paho.mqtt.reasoncodes import ReasonCode

from collector.errors import BrokerError
from collector.mqtt.settings import BrokerSettings
from collector.texts import Sentence
from collector.texts import broker as say

_NOT_YET_VALID, _EXPIRED = 9, 10
_NAME_MISMATCH, _ADDRESS_MISMATCH = 62, 64
"""Verification errors of OpenSSL (X509_V_ERR_…)."""
_PROTOCOL_ERROR, _UNSUPPORTED_PROTOCOL_VERSION, _SESSION_TAKEN_OVER = 0x82, 0x84, 0x8E
"""Reason codes of MQTT 5."""
_PROTOCOL_NAMES = {"mqtt5": "MQTT 5", "mqtt311": "MQTT 3.1.1"}


def cannot_connect(error: Exception, where: str) -> BrokerError:
    """Why there is no connection: the error of the attempt, up to the end of the TLS handshake."""
    return BrokerError(_attempt_failed(error, where))


def closed(error: Exception | None, where: str, *, tls: bool, answered: bool) -> BrokerError:
    """Why a connection went away that was there already.

    With TLS 1.3 the client's handshake is over before the broker has looked at the client's certificate, so
    that a refusal comes only here, as an alert or as nothing but the end.
    """
    if isinstance(error, ssl.SSLError) and (sentence := _alert(error, where)):
        return BrokerError(sentence)
    if not answered:
        return BrokerError((say.CLOSED_BY_TLS if tls else say.CLOSED_AT_ONCE)(where=where))
    if error is None:
        return BrokerError(say.CONNECTION_CLOSED())
    return BrokerError(say.CONNECTION_LOST(reason=_reason(error)))


def refused(reason: ReasonCode, settings: BrokerSettings) -> BrokerError:
    """Why the broker does not accept us: its answer to CONNECT."""
    if reason.value == _UNSUPPORTED_PROTOCOL_VERSION:
        return not_understood(settings)
    return BrokerError(say.REFUSED(reason=str(reason)))


def disconnected(reason: ReasonCode, settings: BrokerSettings, *, by_broker: bool) -> BrokerError:
    """Why MQTT has ended the connection: the broker by its word, or paho by itself."""
    if reason.value == _PROTOCOL_ERROR and not by_broker:
        return not_understood(settings)
    if reason.value == _SESSION_TAKEN_OVER:
        return BrokerError(say.TAKEN_OVER())
    return BrokerError(say.CONNECTION_LOST(reason=str(reason)))


def not_understood(settings: BrokerSettings) -> BrokerError:
    """What is there does not speak the protocol that is configured."""
    return BrokerError(say.NOT_UNDERSTOOD(where=settings.where, protocol=_PROTOCOL_NAMES[settings.protocol]))


def explained(error: BrokerError, end: datetime | None, now: datetime) -> BrokerError:
    """The same; or, where the broker does not say why it refuses us, that our certificate has ended."""
    unsaid = {say.CERTIFICATE_REFUSED.code, say.CLOSED_BY_TLS.code}
    if end is not None and end < now and error.sentence.code in unsaid:
        return BrokerError(say.CERTIFICATE_ENDED(date=f"{end:%Y-%m-%d}"))
    return error


def _attempt_failed(error: Exception, where: str) -> Sentence:
    match error:
        case ssl.SSLError():
            return _handshake_failed(error, where)
        case socket.gaierror() | UnicodeError():
            return say.HOST_UNKNOWN(where=where)
        case ConnectionRefusedError():
            return say.NOT_LISTENING(where=where)
        case ConnectionError():  # within the handshake
            return say.CLOSED_BY_TLS(where=where)
        case TimeoutError():
            return say.UNREACHABLE(where=where)
        case _:
            return say.CANNOT_CONNECT(where=where, reason=_reason(error))


def _handshake_failed(error: ssl.SSLError, where: str) -> Sentence:
    """What is wrong with the broker's certificate, or with ours, or with TLS as such."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return _alert(error, where) or say.TLS_FAILED(where=where, reason=_reason(error))
    if error.verify_code in {_NOT_YET_VALID, _EXPIRED}:
        return say.CERTIFICATE_DATE(where=where, reason=error.verify_message)
    if error.verify_code in {_NAME_MISMATCH, _ADDRESS_MISMATCH}:
        return say.CERTIFICATE_NAME(where=where, reason=error.verify_message)
    return say.CERTIFICATE_UNTRUSTED(where=where, reason=error.verify_message)


def _alert(error: ssl.SSLError, where: str) -> Sentence | None:
    """What the broker said about our certificate; None for anything else."""
    reason = error.reason or ""
    if "ALERT" in reason and ("CERT" in reason or "UNKNOWN_CA" in reason or "ACCESS_DENIED" in reason):
        return say.CERTIFICATE_REFUSED(where=where, reason=_reason(error))
    return None


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
