"""``python -m ferbook.cli``: as the command ``ferbook``."""

import sys

from ferbook.cli.commands import main

sys.exit(main())
