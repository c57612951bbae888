"""A certificate authority of our own, so that every call on this machine is real, verified TLS."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import trustme

from bigin_import.bigin.datacenters import DATA_CENTERS


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
    """Create an authority and a certificate for localhost and Zoho's hosts, for this one stack."""
    authority = trustme.CA()
    urls = (url for each in DATA_CENTERS.values() for url in astuple(each))
    zoho = {str(urlsplit(url).hostname) for url in urls}
    server = authority.issue_cert("localhost", "127.0.0.1", *sorted(zoho))
    files = Certificates(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    authority.cert_pem.write_to_path(files.authority)
    server.private_key_pem.write_to_path(files.key)
    files.key.chmod(0o600)
    for certificate in server.cert_chain_pems:
        certificate.write_to_path(files.certificate, append=True)
    return files
