"""Prints what is wrong with what instrumentations record of the scenarios, as JSON, one line per instrumentation and client.

python -m behaviour.peers [--once] [NAME/CLIENT …]      (from tests/sdk, in an environment that has them)
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import warnings
from dataclasses import asdict

from behaviour.peers.measure import here, measure
from behaviour.quick import hurry


def main(*wanted: str, once: bool) -> None:
    """Measure those that are named, else all."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    # What those print who are measured is not what is asked for.
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    hurry()
    gc.freeze()
    those = [(peer, door) for peer, door in here() if not wanted or f"{peer.name}/{door.name}" in wanted]
    for found in measure(those, once=once):
        print(json.dumps(asdict(found)), file=told, flush=True)


if __name__ == "__main__":
    main(*(each for each in sys.argv[1:] if each != "--once"), once="--once" in sys.argv)
