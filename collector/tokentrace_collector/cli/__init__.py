"""The `tokentrace` command: stdout is data, stderr talks.

Exit status: 0 done; 1 the answer is no (no such trace, a check failed); 2 it could not be asked (usage, no store,
an extra is missing).
"""

from __future__ import annotations

import sys

_EXTRAS = {"demo": frozenset({"anthropic", "google", "httpx2", "openai"})}
_EXTRAS["collector"] = frozenset(
    {
        "chdb",
        "click",
        "clickhouse_connect",
        "genai_prices",
        "grpc",
        "platformdirs",
        "rich",
        "starlette",
        "uvicorn",
        "yaml",
    }
)


def main() -> None:
    """Run the command line; where a package of an extra is missing, say how to install it."""
    try:
        # Its packages come with an extra; without them this command must still be able to say so.
        from tokentrace_collector.cli.group import tokentrace  # noqa: PLC0415

        tokentrace(prog_name="tokentrace")
    except ModuleNotFoundError as error:
        _explain(error)


def missing(package: str, extra: str) -> str:
    """What to tell the user when a package is not there."""
    return (
        f"tokentrace: this needs the package {package!r}, which is not installed. Install it with:\n\n"
        f"    pip install 'tokentrace[{extra}]'\n"
    )


def _explain(error: ModuleNotFoundError) -> None:
    package = (error.name or "").partition(".")[0]
    wanted = [extra for extra, packages in _EXTRAS.items() if package in packages]
    if not wanted:
        raise error
    extra = "demo" if sys.argv[1:2] == ["demo"] else wanted[0]
    sys.stderr.write(missing(package, extra))
    sys.exit(2)
