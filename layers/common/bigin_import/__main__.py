"""`python -m bigin_import`: the operators' command."""

import sys

from bigin_import.operating.command_line import main

if __name__ == "__main__":
    sys.exit(main())
