"""The certificate that the collector shows, and those of senders that it asks for."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class TlsError(ValueError):
    """Files that make no certificate."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM; what is written into them holds for the connections that follow."""

    certificate: Path
    """The chain, the own first."""
    key: Path
    client_ca: Path | None = None
    """Who signs the certificates of senders; with it, nobody comes in without one."""

    @property
    def stamp(self) -> tuple[int, ...]:
        """Changes when one of the files does."""
        files = [self.certificate, self.key, *([self.client_ca] if self.client_ca else [])]
        return tuple(number for each in files for number in _stamp(each))

    def context(self) -> ssl.SSLContext:
        """For a server of Python's; raises TlsError where the files are none."""
        current, stamp = self._loaded(), self.stamp

        def greeted(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
            # The only moment at which a server can still choose: a renewed certificate is to need no restart.
            nonlocal current, stamp
            if (now := self.stamp) != stamp:
                stamp = now
                # Half written, the one before goes on until the files change again.
                with suppress(TlsError):
                    current = self._loaded()
            connection.context = current

        current.sni_callback = greeted
        return current

    def pem(self) -> tuple[bytes, bytes, bytes | None]:
        """Key, chain and the authority of senders, as gRPC takes them; raises TlsError where the files are none."""
        self._loaded()
        return (
            self.key.read_bytes(),
            self.certificate.read_bytes(),
            self.client_ca.read_bytes() if self.client_ca else None,
        )

    def _loaded(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            # With a word, or OpenSSL would ask the terminal for that of an encrypted key, and wait.
            context.load_cert_chain(self.certificate, self.key, password="")
        except (OSError, ssl.SSLError) as error:
            what = f"The certificate {str(self.certificate)!r} with the key {str(self.key)!r}"
            raise TlsError(f"{what} cannot be used: {error}. Name two files in PEM that belong together.") from error
        if self.client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            try:
                context.load_verify_locations(self.client_ca)
            except (OSError, ssl.SSLError) as error:
                raise TlsError(
                    f"The authority of senders {str(self.client_ca)!r} cannot be used: {error}. Name a file in PEM."
                ) from error
        return context


def names(certificate: Mapping[str, Any] | None) -> list[str]:
    """Whose certificate it is, as `ssl` tells it: its alternative names, then its common name."""
    if not certificate:
        return []
    alternative: Sequence[tuple[str, str]] = certificate.get("subjectAltName", ())
    subject: Sequence[Sequence[tuple[str, str]]] = certificate.get("subject", ())
    common = [value for part in subject for name, value in part if name == "commonName"]
    return list(dict.fromkeys([value for _, value in alternative] + common))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
