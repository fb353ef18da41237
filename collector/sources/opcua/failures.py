"""What the library and the network raise, as sentences for the operator.

It loads asyncua, so it is imported only by what is connected.
"""

import contextlib
import socket
from collections.abc import Iterator

from asyncua import ua
from asyncua.crypto.uacrypto import InvalidSignature

from collector.errors import SourceError
from collector.sources.opcua.settings import ConnectionSettings
from collector.texts import Sentence
from collector.texts import opcua as say

_NO_SESSION = {
    "BadTooManySessions",
    "BadMaxConnectionsReached",
    "BadTcpNotEnoughResources",
    "BadTcpServerTooBusy",
}
_USER_REFUSED = {
    "BadUserAccessDenied",
    "BadIdentityTokenInvalid",
    "BadIdentityTokenRejected",
    "BadUserSignatureInvalid",
    "BadUserPasswordExpired",
    "BadUserPasswordReset",
}
_GATEWAY_REFUSED = {"BadSecurityChecksFailed", "BadSecurityPolicyRejected"}


@contextlib.contextmanager
def translated(settings: ConnectionSettings, own_fingerprint: str = "") -> Iterator[None]:
    """Turn what the world raises into a `SourceError`; everything else is a bug, and passes.

    Raises:
        SourceError: with what to do.
    """
    try:
        yield
    except ua.UaStatusCodeError as error:
        raise SourceError(_of_status(settings, status_name(error.code), own_fingerprint)) from error
    except TimeoutError as error:
        raise SourceError(say.NO_ANSWER(url=settings.url, seconds=settings.timeout_s)) from error
    except socket.gaierror as error:
        raise SourceError(say.NAME_UNKNOWN(url=settings.url)) from error
    except ConnectionRefusedError as error:
        raise SourceError(say.REFUSED(url=settings.url)) from error
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise SourceError(say.NOT_REACHED(url=settings.url, reason=reason)) from error
    except (ua.UaError, InvalidSignature) as error:
        reason = str(error) or type(error).__name__
        raise SourceError(say.NOT_UNDERSTOOD(url=settings.url, reason=reason)) from error


def status_name(code: int) -> str:
    """The standard's name of a status code, without its information bits; the bare number if it has none."""
    name: str = ua.StatusCode(code & 0xFFFF0000).name
    return f"{name} {code:#010x}" if name in {"Bad", "Uncertain"} and code & 0x3FFF0000 else name


def _of_status(settings: ConnectionSettings, name: str, own_fingerprint: str) -> Sentence:
    url = settings.url
    if name in _NO_SESSION:
        return say.TOO_MANY_SESSIONS(url=url, status=name)
    if name in _USER_REFUSED:
        return say.USER_REFUSED(url=url, status=name)
    if own_fingerprint and (name in _GATEWAY_REFUSED or name.startswith("BadCertificate")):
        file = str(settings.certificate_folder / "collector.der")
        return say.GATEWAY_NOT_TRUSTED(url=url, status=name, fingerprint=own_fingerprint, file=file)
    return say.STATUS(url=url, status=name)


def unanswered(error: SourceError) -> bool:
    """Whether one answer did not come in time; whether the server hangs is judged by its clock."""
    return error.sentence.code == say.NO_ANSWER.code
