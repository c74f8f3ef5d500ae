"""`python -m approvals.records rebuild`."""

import sys

from approvals.rebuilding import main

if __name__ == "__main__":
    sys.exit(main())
