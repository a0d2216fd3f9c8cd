"""TLS to an API server, as Go does it for kubectl: authorities, client certificate and key, from files or data."""

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
    """PEM text in a file, or in a kubeconfig."""

    file: str = ""
    data: bytes = b""

    def __repr__(self) -> str:
        """The path only, because the data may be a key."""
        return f"Pem({self.file!r})"

    def __bool__(self) -> bool:
        return bool(self.file or self.data)

    def read(self) -> bytes:
        """The text; empty where there is neither file nor data. Raises ConfigError."""
        if not self.file:
            return self.data
        try:
            return Path(self.file).read_bytes()
        except OSError as error:
            raise ConfigError(f"the file {self.file} cannot be read: {error.strerror}.") from error


class TlsSource(Struct, frozen=True):
    """The source of authorities, client certificate and key."""

    authorities: Pem = Pem()
    certificate: Pem = Pem()
    key: Pem = Pem()
    insecure: bool = False

    @property
    def files(self) -> list[Path]:
        """The files that it is read from."""
        return [Path(pem.file) for pem in (self.authorities, self.certificate, self.key) if pem.file]

    def read(self) -> "Tls":
        """The content as it is now. Raises ConfigError where it is not valid."""
        authorities = _certificates(self.authorities, "certificate-authority-data") if self.authorities else None
        certificate = _certificates(self.certificate, "client-certificate-data") if self.certificate else b""
        tls = Tls(authorities, certificate, self.key.read(), self.insecure)
        assert tls.context  # noqa: S101 made now, so that what is not valid is refused now
        return tls


@dataclass(frozen=True)
class Tls:
    """The content for a TLS context. Without authorities, those of the system are trusted."""

    authorities: bytes | None = None
    certificate: bytes = b""
    key: bytes = field(default=b"", repr=False)
    insecure: bool = False

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The TLS context. Raises ConfigError where the content is not valid."""
        context = self._verifying()
        # As Go verifies: any authority is an anchor, a common name is no host name, and RFC 5280 is not taken to the letter.
        context.verify_flags = (context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
        context.hostname_checks_common_name = False
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.certificate:
            self._load_certificate(context)
        return context

    def _verifying(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cadata=self.authorities.decode() if self.authorities else None)
        except (ssl.SSLError, ValueError) as error:
            raise ConfigError("the certificate authority is not a valid certificate.") from error

    def _load_certificate(self, context: ssl.SSLContext) -> None:
        """Load certificate and key from a temporary file, because Python reads them from files only."""
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
    """All certificates of the text. Raises ConfigError where there is none, or half of one."""
    text = pem.read()
    found = CERTIFICATE.findall(text)
    if not found or len(found) != text.count(BEGIN):
        where = f"the file {pem.file}" if pem.file else f"the {name} of the kubeconfig"
        raise ConfigError(f"{where} does not hold valid certificates in PEM.")
    return b"\n".join(found)
