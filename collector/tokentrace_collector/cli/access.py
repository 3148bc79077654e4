"""`tokentrace access`: who may send and ask, and for which tenant."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tokentrace_collector.cli import options

if TYPE_CHECKING:
    from tokentrace_collector.access import Listed

_RIGHTS = ("send", "ask", "operate")
_BEGINNING = "tt_"
"""Of a token: tells people, and programs that look for secrets, what it is."""
_BYTES = 32
_FILE = click.option(
    "--file",
    "path",
    envvar="TOKENTRACE_ACCESS",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file of credentials (YAML).",
)


@click.group("access")
def command() -> None:
    """Say who may send and ask, and for which tenant.

    A collector that is started with `--access FILE` lets in whom the file names, and nobody else. It sees by itself
    that the file has changed.
    """


@command.command("add")
@click.argument("name")
@click.option(
    "--tenant", help="Whose spans it sends, and whose costs it may see; without one it may ask SQL about all."
)
@click.option("--may", "rights", type=click.Choice(_RIGHTS), multiple=True, required=True, help="May come again.")
@click.option("--certificate", help="A name in the certificate that it will show, instead of a token.")
@click.option("--limit", "limits", multiple=True, metavar="NAME=NUMBER", help="A limit of its own; may come again.")
@_FILE
def add(
    name: str,
    *,
    tenant: str | None,
    rights: tuple[str, ...],
    certificate: str | None,
    limits: tuple[str, ...],
    path: Path,
) -> None:
    """Add a credential, and print its token: the file keeps only a digest of it."""
    from tokentrace_collector import access  # noqa: PLC0415
    from tokentrace_collector.cli import faults, terminal  # noqa: PLC0415

    token = "" if certificate else _BEGINNING + secrets.token_urlsafe(_BYTES)
    proof = {"certificate": certificate} if certificate else {"token_sha256": access.digest(token)}
    whose = {"tenant": tenant} if tenant else {}
    own = {"limits": dict(_limit(each) for each in limits)} if limits else {}
    entry: dict[str, object] = {"name": name, **whose, "may": list(dict.fromkeys(rights)), **own, **proof}
    with faults.told():
        access.append(path, entry)
    if token:
        click.echo(token)
        terminal.say(f"This is shown once. Send it as `Authorization: Bearer …`; {name} is in {path} from now on.")
    else:
        terminal.say(f"{name} is in {path} from now on.")


@command.command("list")
@options.as_json_lines
@_FILE
def show(*, as_json: bool, path: Path) -> None:
    """List the credentials: name, tenant, rights, and what proves each."""
    from tokentrace_collector import access  # noqa: PLC0415
    from tokentrace_collector.cli import faults, terminal  # noqa: PLC0415

    with faults.told():
        rows = _rows(access.read(path))
    if as_json:
        terminal.write_json_lines(rows)
        return
    for row in rows:
        click.echo("  ".join(terminal.plain(str(value)) for value in row.values()))


def _limit(written: str) -> tuple[str, int | float]:
    name, _, number = written.partition("=")
    try:
        return name, float(number) if "." in number else int(number)
    except ValueError:
        raise click.UsageError(f"{written!r} is no limit. Write it like query_seconds=10.") from None


def _rows(listed: Listed) -> list[dict[str, str]]:
    grants = [(grant, "token") for grant in listed.tokens.values()]
    grants += [(grant, f"certificate {name}") for name, grant in listed.certificates.items()]
    return [
        {"name": grant.name, "tenant": grant.tenant, "may": " ".join(sorted(grant.rights)), "by": proof}
        for grant, proof in sorted(grants, key=lambda each: each[0].name)
    ]
