"""What a child process does for tests: a function of a module, as children need it."""

import os
import time


def burn(seconds):
    """Hold a core, and the interpreter's lock with it."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        pass
    return os.getpid()


def fail(message):
    raise ValueError(message)


def take_memory(size_bytes):
    return len(b"x" * size_bytes)


def die():
    os.abort()


def answer_with_what_cannot_be_handed_over():
    return lambda: None
