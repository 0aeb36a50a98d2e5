"""The demo's products in a database, as `make run` has them."""

import asyncio
import os
import subprocess
import sys

from render_service.adapters.migrations import migrate
from tests.http.server import COMPOSITIONS
from tests.postgres import make_database

PRODUCTS = COMPOSITIONS / "products"
KEY = "one:" + "A" * 43


def import_folder(address, folder, *words):
    environment = {key: value for key, value in os.environ.items() if "RENDER_" not in key}
    environment |= {"RENDER_DATABASE_URL": address, "RENDER_CATALOGUE": str(COMPOSITIONS)}
    command = [sys.executable, "-m", "render_service", "products", "import", str(folder), *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def make_demo_shop(server):
    """Return settings of a service that sells the demo's products, from a database of its own."""
    url = make_database(server)
    asyncio.run(migrate(url))
    done = import_folder(url, PRODUCTS)
    assert done.returncode == 0, done.stderr
    return {"database_url": url, "signing_keys": KEY}
