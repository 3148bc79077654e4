"""Writes the modules of the SDK that say what is in this folder. `--check` only compares."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
SDK = HERE.parent.parent / "sdk" / "tokentrace"


def attributes(registry: dict[str, Any]) -> str:
    """The module of attribute names, buckets and meters."""
    lines = ['"""Generated from schemas/registry/attributes.yaml; do not edit."""', "", "# ruff: noqa: E501, S105", ""]
    for entry in registry["attributes"]:
        lines += [f'{entry["id"]} = "{entry["key"].removesuffix("*")}"', f'"""{entry["brief"]}"""', ""]
    for entry in registry["events"]:
        lines += [f'{entry["id"]} = "{entry["name"]}"', f'"""{entry["brief"]}"""', ""]
    for entry in registry["metrics"]:
        lines += [f'{entry["id"]} = "{entry["name"]}"', f'"""{entry["brief"]}"""', ""]
    for side in ("input", "output"):
        names = ", ".join(f'"{bucket["id"]}"' for bucket in registry["buckets"][side])
        lines += [f"{side.upper()}_BUCKETS = ({names},)", f'"""Disjoint buckets of the {side}."""', ""]
    lines += ["BUCKETS = INPUT_BUCKETS + OUTPUT_BUCKETS", ""]
    meters = ", ".join(f'"{meter["id"]}"' for meter in registry["meters"])
    lines += [f"METERS = ({meters},)", '"""Billed counts that are not tokens."""', ""]
    roles = ", ".join(f'"{role}"' for role in registry["roles"])
    lines += [f"ROLES = ({roles},)", '"""What a call can be for."""', ""]
    return "\n".join(lines)


def providers(registry: dict[str, Any]) -> str:
    """The module of provider names, aliases and hosts."""
    names = {entry["name"]: entry["name"] for entry in registry["providers"]}
    aliases = {alias: entry["name"] for entry in registry["providers"] for alias in entry["aliases"]}
    hosts = {host: entry["name"] for entry in registry["providers"] for host in entry["hosts"]}
    return "\n".join(
        [
            '"""Generated from schemas/registry/providers.yaml; do not edit."""',
            "",
            "NAMES: dict[str, str] = " + repr(names | aliases),
            '"""The OpenTelemetry name of a provider, by that name and by every alias."""',
            "",
            "HOSTS: dict[str, str] = " + repr(hosts),
            '"""The provider behind a host, by the suffix of the host or a pattern of it."""',
            "",
        ]
    )


def formatted(source: str) -> str:
    """The source as ruff lays it out."""
    command = [sys.executable, "-m", "ruff", "format", "--line-length", "120", "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout  # noqa: S603


MODULES = (("attributes.yaml", "attributes.py", attributes), ("providers.yaml", "providers/registry.py", providers))


def main() -> int:
    """Write the modules, or with `--check` say which are stale."""
    stale = []
    for name, module, render in MODULES:
        source = formatted(render(yaml.safe_load((HERE / name).read_text(encoding="utf-8"))))
        target = SDK / module
        if target.exists() and target.read_text(encoding="utf-8") == source:
            continue
        stale.append(target.name)
        if "--check" not in sys.argv:
            target.write_text(source, encoding="utf-8")
    if stale and "--check" in sys.argv:
        print(f"Stale: {', '.join(stale)}. Run `python schemas/registry/generate.py`.", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
