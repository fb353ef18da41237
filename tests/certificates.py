"""Certificates for tests, made by the openssl command line; elliptic curve keys take milliseconds."""

import subprocess
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """A certificate authority; `file` is its own certificate."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder / name
        self._folder.mkdir()
        self.file = self._folder / "ca.pem"
        self._key = self._folder / "ca.key"
        subject = ("-subj", f"/CN={name}", "-days", "2")
        _openssl("req", "-x509", *_KEY, *subject, "-keyout", self._key, "-out", self.file)

    def issue(self, name: str, *, names: str = "", days: int = 2) -> tuple[Path, Path]:
        """A certificate and its key; `names` as in `DNS:localhost,IP:127.0.0.1`; negative days: expired."""
        certificate, key = (self._folder / f"{name}{suffix}" for suffix in (".pem", ".key"))
        request, extensions = (self._folder / f"{name}{suffix}" for suffix in (".csr", ".ext"))
        extensions.write_text(f"subjectAltName={names}\n" if names else "", encoding="ascii")
        _openssl("req", *_KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        signing = ("-CA", self.file, "-CAkey", self._key, "-CAcreateserial", "-extfile", extensions)
        _openssl("x509", "-req", "-in", request, *signing, "-days", str(days), "-out", certificate)
        return certificate, key


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(("openssl", *map(str, arguments)), check=True, capture_output=True)
