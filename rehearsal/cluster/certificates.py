"""The certificates of one cluster: an authority of its own, which nothing else trusts, and what it signed."""

import datetime
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# A cluster lives as long as a rehearsal; clocks may differ by minutes.
_VALID_FOR = datetime.timedelta(days=30)
_CLOCK_DIFFERENCE = datetime.timedelta(minutes=10)


@dataclass(frozen=True)
class Credentials:
    """A certificate and its private key, in PEM files that only their owner reads."""

    certificate: Path
    key: Path


class Authority:
    """A new certificate authority that keeps what it signs in `directory`."""

    def __init__(self, directory: Path):
        directory.mkdir(mode=0o700, parents=True)
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rehearsal")])
        signed = (
            _certificate(self._name, self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate = directory / "ca.crt"
        _write(self.certificate, signed.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        common_name: str,
        organizations: Sequence[str] = (),
        names: Sequence[str] = (),
        addresses: Sequence[str] = (),
    ) -> Credentials:
        """Sign a certificate for a client, or for the server of `names` and `addresses`.

        Kubernetes takes the common name for the user and the organizations for the groups:
        https://kubernetes.io/docs/reference/access-authn-authz/authentication/#x509-client-certificates
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, common_name),
                *(x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in organizations),
            ]
        )
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        unsigned = (
            _certificate(subject, self._name, key)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        alternatives = [
            *(x509.DNSName(name) for name in names),
            *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses),
        ]
        if alternatives:
            unsigned = unsigned.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        file_name = common_name.replace(":", "-")
        credentials = Credentials(self._directory / f"{file_name}.crt", self._directory / f"{file_name}.key")
        signed = unsigned.sign(self._key, hashes.SHA256())
        _write(credentials.certificate, signed.public_bytes(serialization.Encoding.PEM))
        _write(credentials.key, _private_pem(key))
        return credentials

    def signing_key(self, name: str) -> Path:
        """A new private key, such as the one that signs the tokens of service accounts."""
        path = self._directory / f"{name}.key"
        _write(path, _private_pem(ec.generate_private_key(ec.SECP256R1())))
        return path


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=issuer,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - _CLOCK_DIFFERENCE,
        not_valid_after=now + _VALID_FOR,
    )


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
