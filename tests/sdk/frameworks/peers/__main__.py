"""Prints what the spans of an instrumentation tell of the runs of a framework, as JSON.

python -m frameworks.peers FRAMEWORK NAME      (from tests/sdk, in an environment that has them)
"""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from dataclasses import asdict

from frameworks.peers.known import FRAMEWORKS
from frameworks.peers.measure import measure


def main(framework: str, name: str) -> None:
    """Measure one instrumentation."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    # What those print who are measured is not what is asked for.
    printed = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    (of,) = (each for each in FRAMEWORKS if each.name == framework)
    (peer,) = (each for each in of.here if each.name == name)
    print(json.dumps([asdict(each) for each in measure(of, peer)]), file=printed, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
