"""The files of `schemas/` that ship with the collector."""

from functools import cache
from pathlib import Path


@cache
def root() -> Path:
    """The directory of the schema files: inside the installed package, or beside its source tree."""
    packaged = Path(__file__).parent / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "schemas"
