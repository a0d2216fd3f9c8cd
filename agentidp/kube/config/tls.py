"""TLS to an API server as Go does it for kubectl: the authorities, the client certificate and its key, from files or data."""

import re
import ssl
import tempfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from agentidp.kube.errors import ConfigError

BEGIN = b"-----BEGIN CERTIFICATE-----"
CERTIFICATE = re.compile(BEGIN + b".*?-----END CERTIFICATE-----", re.DOTALL)


class Pem(Struct, frozen=True):
    """PEM text: of a file, or as it stands in a kubeconfig."""

    file: str = ""
    data: bytes = b""

    def __repr__(self) -> str:
        """Without the data, which may be a key."""
        return f"Pem({self.file!r})"

    def __bool__(self) -> bool:
        return bool(self.file or self.data)

    def read(self) -> bytes:
        """The text; nothing where there is neither. Raises ConfigError."""
        if not self.file:
            return self.data
        try:
            return Path(self.file).read_bytes()
        except OSError as error:
            raise ConfigError(f"the file {self.file} cannot be read: {error.strerror}.") from error


class TlsSource(Struct, frozen=True):
    """Where it is read from."""

    authorities: Pem = Pem()
    certificate: Pem = Pem()
    key: Pem = Pem()
    insecure: bool = False

    @property
    def files(self) -> list[Path]:
        """The files among them."""
        return [Path(one.file) for one in (self.authorities, self.certificate, self.key) if one.file]

    def read(self) -> "Tls":
        """What is there now. Raises ConfigError where it cannot be used."""
        authorities = _certificates(self.authorities, "certificate-authority-data") if self.authorities else None
        certificate = _certificates(self.certificate, "client-certificate-data") if self.certificate else b""
        tls = Tls(authorities, certificate, self.key.read(), self.insecure)
        assert tls.context  # noqa: S101 made now, so that what is not valid is refused now
        return tls


@dataclass(frozen=True)
class Tls:
    """What a connection needs; without authorities the system's are trusted."""

    authorities: bytes | None = None
    certificate: bytes = b""
    key: bytes = field(default=b"", repr=False)
    insecure: bool = False

    @cached_property
    def context(self) -> ssl.SSLContext:
        """Raises ConfigError."""
        context = self._verifying()
        # As Go verifies: any authority is an anchor, a common name is no host name, and RFC 5280 is not taken to the letter.
        context.verify_flags = (context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
        context.hostname_checks_common_name = False
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.certificate:
            self._show_certificate(context)
        return context

    def _verifying(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cadata=self.authorities.decode() if self.authorities else None)
        except (ssl.SSLError, ValueError) as error:
            raise ConfigError("the certificate authority is not a valid certificate.") from error

    def _show_certificate(self, context: ssl.SSLContext) -> None:
        """Python reads them from a file only; that is gone at once."""
        try:
            with tempfile.NamedTemporaryFile() as file:
                file.write(self.certificate + b"\n" + self.key)
                file.flush()
                context.load_cert_chain(file.name, password="")  # none, so that nobody is asked for one
        except ssl.SSLError as error:
            raise ConfigError("the client certificate and its key are not valid, or do not belong together.") from error
        except OSError as error:
            raise ConfigError(f"no temporary file can be written for the client certificate: {error.strerror}.") from error


def _certificates(pem: Pem, name: str) -> bytes:
    """All certificates of it. Raises ConfigError where there is none, or half of one."""
    text = pem.read()
    found = CERTIFICATE.findall(text)
    if not found or len(found) != text.count(BEGIN):
        where = f"the file {pem.file}" if pem.file else f"the {name} of the kubeconfig"
        raise ConfigError(f"{where} does not hold valid certificates in PEM.")
    return b"\n".join(found)
