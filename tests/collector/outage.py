"""The official exporters of JavaScript, installed once by npm and kept outside the checkout."""

import functools
import hashlib
import json
import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import pytest

HERE = Path(__file__).with_name("javascript")
ASKED = HERE / "package.json"


@dataclass(frozen=True)
class JavaScript:
    """Programs that node runs with the exporters at hand."""

    directory: Path

    def send(self, protocol: str, url: str, names: list[str], seconds: float) -> bool:
        """Whether an exporter delivered spans of these names."""
        command = ["node", str(self.directory / "send.mjs"), protocol, url, str(int(seconds * 1000)), *names]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert ran.returncode in {0, 3}, ran.stderr
        return ran.returncode == 0


@functools.cache
def installed() -> Path:
    """Where they are; skips the test where there is no npm."""
    npm = shutil.which("npm")
    if not (npm and shutil.which("node")):
        pytest.skip("node and npm are not there")
    told = os.environ.get("TOKENTRACE_ENVIRONMENTS")
    cache = Path(told) if told else platformdirs.user_cache_path("tokentrace") / "environments"
    wanted = ASKED.read_bytes() + (HERE / "send.mjs").read_bytes()
    target = cache / f"javascript-{hashlib.sha256(wanted).hexdigest()[:12]}"
    if not target.exists():
        _install(npm, target)
    return target


def _install(npm: str, target: Path) -> None:
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(HERE, draft)
    command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
    ran = subprocess.run(command, cwd=draft, capture_output=True, text=True, check=False)
    if ran.returncode:
        packages = ", ".join(json.loads(ASKED.read_text())["dependencies"])
        pytest.fail(f"npm did not install {packages}:\n{ran.stderr}", pytrace=False)
    with suppress(OSError):  # Another process was quicker.
        draft.rename(target)
    shutil.rmtree(draft, ignore_errors=True)
    assert target.exists()
