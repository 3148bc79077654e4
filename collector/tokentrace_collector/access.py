"""Who may send and ask, and for which tenant: a credential says so, and nothing else that comes with a request does."""

from __future__ import annotations

import hashlib
import re
import textwrap
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, get_args

import yaml

from tokentrace_collector import notation
from tokentrace_collector.allowance import NAMES, RATES, Allowance
from tokentrace_collector.counters import Counters
from tokentrace_collector.tenants import CANARY

Right: TypeAlias = Literal["send", "ask", "operate"]
"""To send spans; to ask about the costs of the tenant; to have the rollup run."""
RIGHTS: frozenset[Right] = frozenset(get_args(Right))

_KNOWN: dict[str, Right] = {right: right for right in RIGHTS}
_LOOKS_EVERY = 1.0
"""Seconds after which a file that may have changed is looked at again."""
_UNBOUNDED = 1e18
_EMPTY = "version: 1\ncredentials:\n"
_DIGEST = re.compile(r"[0-9a-f]{64}")


class AccessFileError(ValueError):
    """A file of credentials that cannot be taken at its word."""


class RefusedError(Exception):
    """Nobody knows the sender."""


class ForbiddenError(RefusedError):
    """The sender is known, and may not do this."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a credential allows."""

    name: str
    tenant: str
    """Whose spans and figures; empty: of no tenant, which may ask SQL about all."""
    rights: frozenset[Right] = RIGHTS
    limits: Allowance = field(default_factory=Allowance)
    """What it may take, where that is not what everybody may."""


class Door(Protocol):
    """Decides who comes in."""

    def admit(self, right: Right, authorization: str, certificate: Sequence[str]) -> Grant:
        """Whose request it is, by its `Authorization` and the names in the certificate of its connection.

        Raises RefusedError where nobody knows it, ForbiddenError where it may not do this.
        """
        ...

    @property
    def asks(self) -> bool:
        """Whether it lets in only whom it knows."""
        ...

    @property
    def trouble(self) -> str:
        """What an operator should look at; empty where all is well."""
        ...


class Everybody:
    """Lets everybody in who can reach the port, for one tenant."""

    trouble = ""
    asks = False

    def __init__(self, tenant: str) -> None:
        self._grant = Grant("everybody", tenant)

    def admit(self, right: Right, authorization: str, certificate: Sequence[str]) -> Grant:  # noqa: ARG002
        """The one grant there is."""
        return self._grant


class Counted:
    """A door that counts whom it does not let in, wherever they come from."""

    def __init__(self, door: Door, counters: Counters) -> None:
        self._door = door
        self._counters = counters

    def admit(self, right: Right, authorization: str, certificate: Sequence[str]) -> Grant:
        """As the door behind it."""
        try:
            return self._door.admit(right, authorization, certificate)
        except RefusedError:
            self._counters.add(requests_denied=1)
            raise

    @property
    def asks(self) -> bool:
        """As the door behind it."""
        return self._door.asks

    @property
    def trouble(self) -> str:
        """As of the door behind it."""
        return self._door.trouble


@dataclass(frozen=True, slots=True)
class Listed:
    """The grants of a file, by what proves each."""

    tokens: dict[str, Grant] = field(default_factory=dict[str, Grant])
    """By the SHA-256 of the token: to look one up tells nobody how much of it was right."""
    certificates: dict[str, Grant] = field(default_factory=dict[str, Grant])


class Credentials:
    """Lets in whom a file names; what is written into it holds within a second or so.

    A file that has become unreadable changes nothing: those it named last are let in, and `trouble` says why.
    """

    asks = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = _stamp(path)
        self.listed = read(path)
        self.trouble = ""
        self._looked = time.monotonic()

    def admit(self, right: Right, authorization: str, certificate: Sequence[str]) -> Grant:
        """Whose request it is; a token counts before a certificate."""
        self._look()
        grant = self._found(authorization, certificate)
        if right not in grant.rights:
            raise ForbiddenError(f"The credential {grant.name!r} may not {right}. Let it, or use another.")
        return grant

    def _found(self, authorization: str, certificate: Sequence[str]) -> Grant:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            if (grant := self.listed.tokens.get(digest(token.strip()))) is None:
                raise RefusedError("This token is not known here. Ask the operator for one.")
            return grant
        for name in certificate:
            if (grant := self.listed.certificates.get(name)) is not None:
                return grant
        if certificate:
            raise RefusedError(f"No credential is of a certificate for {certificate[0]!r}. Ask the operator for one.")
        raise RefusedError("Say who you are: send the header `Authorization: Bearer …` with a token of this collector.")

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOKS_EVERY:
            return
        self._looked = now
        if (stamp := _stamp(self._path)) == self._stamp:
            return
        try:
            self.listed = read(self._path)
        except AccessFileError as error:
            self.trouble = f"{error} What it said before holds."
        else:
            self.trouble = ""
        self._stamp = stamp


def digest(token: str) -> str:
    """What a file has instead of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def read(path: Path) -> Listed:
    """The grants of a file."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise AccessFileError(f"The credentials {str(path)!r} cannot be read: {error}.") from error
    except notation.NotationError as error:
        raise AccessFileError(f"The credentials {str(path)!r} cannot be taken: {error}") from error


def append(path: Path, entry: Mapping[str, object]) -> None:
    """Add an entry at the end of a file, which is made where there is none; what is written there stays as it is."""
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else _EMPTY
        written = yaml.safe_dump([dict(entry)], sort_keys=False, allow_unicode=True, default_flow_style=None)
        after = before.rstrip("\n") + "\n" + textwrap.indent(written, "  ")
        parse(after)
        draft = path.with_name(f"{path.name}.new")
        draft.touch(mode=0o600)
        draft.write_text(after, encoding="utf-8")
        draft.replace(path)
    except (OSError, UnicodeDecodeError) as error:
        raise AccessFileError(f"The credentials {str(path)!r} cannot be written: {error}.") from error
    except notation.NotationError as error:
        raise AccessFileError(f"With this entry, the credentials {str(path)!r} cannot be taken: {error}") from error


def parse(text: str) -> Listed:
    """The grants of a text; raises NotationError with the line, the value and the remedy."""
    root = notation.compose(text)
    if root is None:
        raise notation.NotationError("There is nothing in it. Write `version: 1` and `credentials:`.")
    said = notation.entries(root, {"version", "credentials"}, needed=("version",))
    if (version := notation.text(said["version"])) != "1":
        notation.reject(said["version"], f"The version {version!r} is not known. Write 1")
    listed = Listed()
    names: set[str] = set()
    for node in notation.items(said.get("credentials")):
        _add(node, listed, names)
    return listed


def _add(node: yaml.Node, listed: Listed, names: set[str]) -> None:
    known = {"name", "tenant", "may", "limits", "token_sha256", "certificate"}
    said = notation.entries(node, known, needed=("name", "may"))
    rights = _rights(said["may"])
    if "tenant" not in said and rights.difference({"ask"}):
        notation.reject(node, "Whose spans are they? Give it a tenant; only what may ask and nothing else needs none")
    tenant = _word(said["tenant"]) if "tenant" in said else ""
    grant = Grant(_word(said["name"]), tenant, rights, _limits(said.get("limits")))
    if grant.tenant == CANARY:
        notation.reject(said["tenant"], f"The tenant {CANARY!r} is the collector's own. Choose another")
    if grant.name in names:
        notation.reject(said["name"], f"The name {grant.name!r} stands here twice. Give each credential its own")
    names.add(grant.name)
    if ("token_sha256" in said) == ("certificate" in said):
        notation.reject(node, f"What proves {grant.name!r}? Give it one of token_sha256 and certificate")
    kind, grants = ("token_sha256", listed.tokens) if "token_sha256" in said else ("certificate", listed.certificates)
    proof = _word(said[kind])
    if kind == "token_sha256" and not _DIGEST.fullmatch(proof):
        notation.reject(said[kind], f"{proof!r} is no SHA-256. Make one with `tokentrace access add`")
    if proof in grants:
        notation.reject(said[kind], f"This proves {grants[proof].name!r} already. Give {grant.name!r} another")
    grants[proof] = grant


def _rights(node: yaml.Node) -> frozenset[Right]:
    found: set[Right] = set()
    for each in notation.items(node):
        written = notation.text(each)
        right = _KNOWN.get(written)
        if right is None:
            notation.reject(each, f"There is no right {written!r}. Known: {', '.join(sorted(RIGHTS))}")
        found.add(right)
    if not found:
        notation.reject(node, f"Whoever may do nothing needs no credential. Name some of {', '.join(sorted(RIGHTS))}")
    return frozenset(found)


def _limits(node: yaml.Node | None) -> Allowance:
    said = notation.entries(node, set(NAMES)) if node else {}
    return Allowance(**{name: _number(each, is_whole=name not in RATES) for name, each in said.items()})


def _number(node: yaml.Node, *, is_whole: bool) -> Any:
    written = notation.text(node)
    try:
        number = int(written) if is_whole else float(written)
    except ValueError:
        number = 0
    if not 0 < number < _UNBOUNDED:
        notation.reject(node, f"{written!r} is no limit. Write a {'whole ' * is_whole}number above 0")
    return number


def _word(node: yaml.Node) -> str:
    if not (written := notation.text(node).strip()):
        notation.reject(node, "Here belongs a name")
    return written


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
