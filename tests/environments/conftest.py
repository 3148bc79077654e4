"""Virtual environments with other releases of the client libraries, built once and kept outside the checkout."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import pytest
import uv

from tokentrace.version import VERSION

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TOOLS = "dirty-equals\nhypothesis\npydantic\npytest\n"
RUNS = "# runs: "
EXTRAS = re.compile(r"\[.*?\]")


@dataclass(frozen=True, slots=True)
class Environment:
    """The releases that `<name>.in` asks for, as `<name>.txt` resolves them."""

    name: str

    @property
    def pins(self) -> list[str]:
        """What `<name>.in` asks for, as `<name>.txt` has it: without extras."""
        return [EXTRAS.sub("", each) for each in _requirements(HERE / f"{self.name}.in")]

    @property
    def tests(self) -> list[str]:
        """What runs in it: what a line `# runs: …` names, else the shapes of all clients."""
        lines = (HERE / f"{self.name}.in").read_text().splitlines()
        told = [line.removeprefix(RUNS).split() for line in lines if line.startswith(RUNS)]
        return told[0] if told else ["tests/sdk/clients"]

    @property
    def locked(self) -> list[str]:
        """Everything that is installed."""
        return _requirements(HERE / f"{self.name}.txt")

    def lock(self) -> None:
        """Resolve the pins anew."""
        told = (HERE / f"{self.name}.in").read_text() + TOOLS
        options = ("--universal", "--python-version=3.11", "--no-header", "--no-annotate", "--quiet")
        resolved = _uv("pip", "compile", "pyproject.toml", "-", *options, told=told)
        (HERE / f"{self.name}.txt").write_text(resolved)

    def python(self) -> Path:
        """The interpreter of the environment, which is built where it is not there yet."""
        target = _cache() / f"{self.name}-{self._key()}"
        if not target.exists():
            self._build(target)
        return target / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

    def _key(self) -> str:
        told = "\n".join([sys.version, str(ROOT), VERSION, *self.locked])
        return hashlib.sha256(told.encode()).hexdigest()[:12]

    def _build(self, target: Path) -> None:
        # Renamed when complete: whoever comes second, from whatever process, finds all of it or nothing.
        draft = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.rmtree(draft, ignore_errors=True)
        _uv("venv", "--quiet", "--python", sys.executable, str(draft))
        install = ("pip", "install", "--quiet", "--compile-bytecode", "--python", str(draft))
        _uv(*install, "--no-deps", "--requirements", str(HERE / f"{self.name}.txt"), "--editable", str(ROOT))
        try:
            draft.rename(target)
        except OSError:
            if not target.exists():
                raise
            shutil.rmtree(draft)


def environments() -> list[Environment]:
    """Every environment that is described here."""
    return [Environment(path.stem) for path in sorted(HERE.glob("*.in"))]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per environment."""
    if "environment" in metafunc.fixturenames:
        metafunc.parametrize("environment", environments(), ids=lambda each: each.name)


def _requirements(path: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


def _cache() -> Path:
    told = os.environ.get("TOKENTRACE_ENVIRONMENTS")
    return Path(told) if told else platformdirs.user_cache_path("tokentrace") / "environments"


def _uv(*arguments: str, told: str | None = None) -> str:
    """What uv says."""
    ran = subprocess.run(
        [uv.find_uv_bin(), *arguments], cwd=ROOT, input=told, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        pytest.fail(f"uv {' '.join(arguments)} failed:\n{ran.stderr}", pytrace=False)
    return ran.stdout
