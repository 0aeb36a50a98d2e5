"""python -m render_service."""

import sys

from render_service.cli import main

sys.exit(main())
