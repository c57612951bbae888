"""`python -m tests.local_stack up | down`: a local stack that stays, for hands-on use."""

from __future__ import annotations

import argparse
import logging
import sys

from tests.local_stack import standing
from tests.local_stack.workspace import StackInUseError


def main() -> int:
    """Do what the command line says; 0 if that worked."""
    parser = argparse.ArgumentParser(prog="python -m tests.local_stack", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "serve"])
    command = parser.parse_args().command
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stderr)
    logging.getLogger("botocore").setLevel(logging.WARNING)
    try:
        match command:
            case "up":
                sys.stdout.write(standing.up())
            case "down":
                sys.stdout.write(standing.down())
            case "serve":
                standing.serve()
    except (StackInUseError, standing.StackFailedError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
