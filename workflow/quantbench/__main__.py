"""``python -m quantbench``: the same as the command ``quantbench``."""

import sys

from .cli.main import main

sys.exit(main())
