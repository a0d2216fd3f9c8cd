"""TLS of a kubeconfig: certificates from files or data, and what is refused."""

import ssl
from pathlib import Path

import pytest

from agentidp.kube.config.tls import Pem, TlsSource
from agentidp.kube.errors import ConfigError
from tests.support.certificates import Authority

AUTHORITY = Authority.new("test")
CLIENT = AUTHORITY.for_client("jane", "team")


def pem(text: str) -> Pem:
    """PEM text in a kubeconfig."""
    return Pem(data=text.encode())


def test_tls_trusts_the_authorities_of_the_kubeconfig_only(tmp_path: Path) -> None:
    """Data and a file with the same text give an equal value."""
    file = tmp_path / "ca.crt"
    file.write_text(AUTHORITY.certificate)
    from_file, from_data = TlsSource(Pem(str(file))), TlsSource(pem(AUTHORITY.certificate))
    assert from_file.read() == from_data.read()
    assert from_file.files == [file]
    assert len(from_data.read().context.get_ca_certs()) == 1


def test_tls_loads_a_client_certificate_with_its_key() -> None:
    """A key of another certificate is refused."""
    assert TlsSource(certificate=pem(CLIENT.certificate), key=pem(CLIENT.key)).read().context
    another = AUTHORITY.for_client("joe", "team")
    with pytest.raises(ConfigError, match="do not belong together"):
        TlsSource(certificate=pem(CLIENT.certificate), key=pem(another.key)).read()


def test_tls_without_verification_is_for_insecure_kubeconfigs_only() -> None:
    """`insecure-skip-tls-verify` of a kubeconfig."""
    assert TlsSource().read().context.verify_mode is ssl.CERT_REQUIRED
    assert TlsSource(insecure=True).read().context.verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize("text", ["", "no certificate", AUTHORITY.certificate[:200]])
def test_tls_refuses_text_without_valid_certificates(text: str, tmp_path: Path) -> None:
    """The error names the file."""
    file = tmp_path / "ca.crt"
    file.write_text(text)
    with pytest.raises(ConfigError, match=f"the file {file} does not hold valid certificates"):
        TlsSource(Pem(str(file))).read()


def test_tls_hides_a_key_in_its_repr() -> None:
    """A traceback may print it."""
    assert "PRIVATE" not in repr(TlsSource(key=pem(CLIENT.key))) + repr(TlsSource(key=pem(CLIENT.key)).read())
