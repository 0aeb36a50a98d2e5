"""Secrets of one's own, for a service on one machine that was given none: a key, a token.

The rule: it is made once and kept for its user alone; whoever comes second takes the first one's.
"""

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from render_service.planning.signatures import KEY_BYTES, SigningKey, spell_key


def new_key() -> str:
    """Return a new key, as RENDER_SIGNING_KEYS takes it."""
    return spell_key(
        SigningKey(id=f"k{secrets.token_hex(3)}", secret=secrets.token_bytes(KEY_BYTES))
    )


def keep_own(file: Path, make: Callable[[], str]) -> str:
    """Return the secret in `file`, made and kept there if there is none.

    Raises:
        OSError: It can be neither read nor written.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        young = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
        with open(os.open(young, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
            written.write(make())
        # Fails where another was faster, and never shows half a secret.
        with contextlib.suppress(FileExistsError):
            os.link(young, file)
        young.unlink()
    return file.read_text().strip()
