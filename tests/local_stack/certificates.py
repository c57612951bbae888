"""A certificate authority of our own, so that every call on this machine is real, verified TLS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files: whom to trust, and what a server on this machine shows."""

    authority: Path
    certificate: Path
    key: Path

    def trust(self) -> dict[str, str]:
        """Return the environment that makes boto3 and requests trust us, and nobody else."""
        authority = str(self.authority)
        names = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
        return dict.fromkeys(names, authority)


def issue(folder: Path) -> Certificates:
    """Create an authority and a certificate for localhost, good for this one stack."""
    authority = trustme.CA()
    server = authority.issue_cert("localhost", "127.0.0.1")
    files = Certificates(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    authority.cert_pem.write_to_path(files.authority)
    server.private_key_pem.write_to_path(files.key)
    files.key.chmod(0o600)
    for certificate in server.cert_chain_pems:
        certificate.write_to_path(files.certificate, append=True)
    return files
