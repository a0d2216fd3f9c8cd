"""Certificates that tests make themselves: authorities, and what they sign."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = timedelta(days=1)


@dataclass(frozen=True)
class Signed:
    """A certificate and its key, in PEM."""

    certificate: str
    key: str


@dataclass(frozen=True)
class Authority:
    """Signs certificates."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey
    certificate: str

    @classmethod
    def new(cls, name: str) -> Self:
        """One that signs itself."""
        key, subject = ec.generate_private_key(ec.SECP256R1()), _name(name)
        builder = _builder(subject, subject, key).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        return cls(subject, key, _pem(builder.sign(key, hashes.SHA256())))

    def for_client(self, user: str, group: str) -> Signed:
        """As whom Kubernetes takes it: common name and organization."""
        return self._sign(_name(user, group), ExtendedKeyUsageOID.CLIENT_AUTH)

    def for_server(self) -> Signed:
        """Of an API server on this machine."""
        return self._sign(_name("kube-apiserver"), ExtendedKeyUsageOID.SERVER_AUTH)

    def _sign(self, subject: x509.Name, usage: x509.ObjectIdentifier) -> Signed:
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName("kubernetes.default.svc"), x509.IPAddress(ip_address("127.0.0.1"))])
        builder = _builder(subject, self.name, key).add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        signed = builder.add_extension(names, critical=False).sign(self.key, hashes.SHA256())
        return Signed(_pem(signed), _key(key))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - VALID)
        .not_valid_after(now + VALID)
    )


def _name(common_name: str, organization: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key(key: ec.EllipticCurvePrivateKey) -> str:
    form, encryption = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, encryption).decode()
