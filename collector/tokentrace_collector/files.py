"""The files of `schemas/` that ship with the collector."""

import hashlib
from functools import cache
from pathlib import Path
from types import ModuleType


@cache
def root() -> Path:
    """The directory of the schema files: inside the installed package, or beside its source tree."""
    packaged = Path(__file__).parent / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "schemas"


def fingerprint(*what: ModuleType | str) -> str:
    """A short name for code and texts that decide figures: equal ones have an equal name, in every process."""
    digest = hashlib.sha256()
    for each in what:
        source = each.encode() if isinstance(each, str) else Path(str(each.__file__)).read_bytes()
        digest.update(len(source).to_bytes(8) + source)
    return digest.hexdigest()[:16]
