"""Ctrl-C for commands that compute for long: it counts at the next step, wherever it arrived.

Python raises KeyboardInterrupt where it happens to be; where that is a callback out of C (libvips
lets go of an image, say) it is printed and forgotten, and the command would go on.
"""

import signal
from types import FrameType, TracebackType
from typing import Self


class Interrupts:
    """Remembers a SIGINT that arrived while the block ran. For the main thread."""

    def __init__(self) -> None:
        self._arrived = False

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def check(self) -> None:
        """End the command if Ctrl-C was pressed.

        Raises:
            KeyboardInterrupt: It was.
        """
        if self._arrived:
            raise KeyboardInterrupt

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._arrived = True
        raise KeyboardInterrupt
