"""Where a store is: the address a user writes and what follows from it."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

import platformdirs

TIMEOUT = 300
"""Seconds that the answer of a server may take, unless the address says otherwise."""

DATABASE = "tokentrace"
"""The database of every table; chDB's own `default` is of an engine that refuses half of our DDL."""


_ENGINE = "engine"
_SERVED = {"cluster", "timeout"}
"""Options that only a server has."""


class DsnError(ValueError):
    """A store address that cannot be understood."""


@dataclass(frozen=True, slots=True)
class Dsn:
    """A parsed store address: `chdb:///path`, `chdb://` or `clickhouse[s]://user:password@host:port/database?cluster=name`."""

    embedded: bool
    database: str
    directory: Path
    """Holds what is ours beside the database: the journal and `collector.json`."""
    engine_path: Path
    """The directory that the embedded engine owns."""
    host: str = ""
    port: int | None = None
    secure: bool = False
    user: str = "default"
    password: str = field(default="", repr=False)
    cluster: str = ""
    """The cluster of servers, as their configuration calls it, that the tables are spread over; empty: one server."""
    timeout: int = TIMEOUT
    """Seconds that the answer of a server may take; what takes longer is tried again."""

    def __str__(self) -> str:
        if self.embedded:
            return f"chdb://{self.engine_path.parent}?database={self.database}"
        port = f":{self.port}" if self.port else ""
        told = {"cluster": self.cluster} if self.cluster else {}
        told |= {"timeout": str(self.timeout)} if self.timeout != TIMEOUT else {}
        options = f"?{urlencode(told, quote_via=quote)}" if told else ""
        return f"clickhouse{'s' * self.secure}://{self.user}@{self.host}{port}/{self.database}{options}"


def parse(text: str) -> Dsn:
    """The store that an address names."""
    url = urlsplit(text)
    options = {name: values[-1] for name, values in parse_qs(url.query).items()}
    if unknown := options.keys() - {"database", "directory", *_SERVED}:
        raise DsnError(
            f"The store address has an unknown option {min(unknown)!r}. Known: database, directory, cluster, timeout."
        )
    if url.scheme == "chdb":
        if served := options.keys() & _SERVED:
            raise DsnError(
                f"The store address names a {min(served)}, but the embedded engine is of one process. Leave it out."
            )
        return _embedded(url.netloc, unquote(url.path), options)
    if url.scheme not in ("clickhouse", "clickhouses"):
        raise DsnError(
            f"The store address starts with {url.scheme!r}. Write chdb:///path or clickhouse://user:password@host:8123/db."
        )
    if not url.hostname:
        raise DsnError("The store address names no host. Write clickhouse://user:password@host:8123/db.")
    try:
        port = url.port
    except ValueError:
        raise DsnError(f"The store address has no port number in {url.netloc.rpartition('@')[2]!r}.") from None
    directory = _directory(options)
    return Dsn(
        embedded=False,
        database=options.get("database") or url.path.strip("/") or DATABASE,
        directory=directory,
        engine_path=directory / _ENGINE,
        host=url.hostname,
        port=port,
        secure=url.scheme == "clickhouses",
        user=unquote(url.username or "default"),
        password=unquote(url.password or ""),
        cluster=options.get("cluster", ""),
        timeout=_timeout(options),
    )


def _embedded(netloc: str, path: str, options: dict[str, str]) -> Dsn:
    if netloc:
        raise DsnError(
            f"The store address has a relative path {netloc + path!r}. Write three slashes: chdb:///abs/path."
        )
    home = Path(path).resolve() if path.strip("/") else platformdirs.user_data_path("tokentrace")
    directory = Path(options["directory"]) if "directory" in options else home
    return Dsn(
        embedded=True,
        database=options.get("database", DATABASE),
        directory=directory,
        engine_path=home / _ENGINE,
    )


def _timeout(options: dict[str, str]) -> int:
    told = options.get("timeout", str(TIMEOUT))
    if not (told.isascii() and told.isdigit() and int(told)):
        raise DsnError(f"The store address has the timeout {told!r}. Write whole seconds, as in timeout={TIMEOUT}.")
    return int(told)


def _directory(options: dict[str, str]) -> Path:
    return Path(options["directory"]) if "directory" in options else platformdirs.user_data_path("tokentrace")
