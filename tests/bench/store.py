"""Everything that the collector is to keep to, in one run: `python tests/bench/store.py [spans]`, 10 million by default.

CPU is that of all threads; figures by the clock are only good on a machine that does nothing else. Never gating.
"""

import sys

import content
import ingest
import rollup

if __name__ == "__main__":
    rollup.costing(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000)
    ingest.main()
    content.main()
