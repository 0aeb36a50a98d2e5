"""Errors of uploads: what is not taken into quarantine, and what cannot be asked about it.

A file that fails its check is none of these: that is the upload's answer, with its reason.
"""

from enum import StrEnum

from render_service.errors.asked import InvalidRequest, NotAllowed, NotFound
from render_service.errors.root import RenderServiceError


class RefusedFor(StrEnum):
    """Why a file was refused; programs go by this, people by the sentence beside it."""

    LENGTH = "length"
    DIGEST = "digest"
    TYPE = "type"
    DAMAGED = "damaged"
    TRAILING = "trailing"
    FOREIGN = "foreign"
    ANIMATED = "animated"
    METADATA = "metadata"
    PAGES = "pages"
    PIXELS = "pixels"
    COLOUR = "colour"
    DEPTH = "depth"
    TURNED = "turned"
    TOO_MUCH = "too-much"


class InvalidForm(InvalidRequest):
    """A form with a file is not what its address takes; nothing of it is kept."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"The form is refused: {problem}.")


class UploadForbidden(NotAllowed):
    """A form was not given out by us for this file, or its time is over; nothing is kept."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"The upload is not allowed: {problem}.")


class UploadUnderWay(RenderServiceError):
    """The same upload is being received by another request."""

    def __init__(self) -> None:
        super().__init__("Another request is sending this file right now; one is enough.")


class UploadsUnavailable(RenderServiceError):
    """Quarantine could not be used.

    Attributes:
        retry_after_s: Seconds after which it is asked again.
    """

    def __init__(self, reason: str, retry_after_s: int = 2) -> None:
        super().__init__("Uploads cannot be received or read right now.")
        self.reason, self.retry_after_s = reason, retry_after_s


class UnknownUpload(NotFound):
    """There is no upload of that id, or it was swept away long ago."""

    def __init__(self, upload: str) -> None:
        super().__init__(f"There is no upload {upload[:100]!r}.", upload=upload[:100])


class UnknownAsset(NotFound):
    """No file of that digest was uploaded and accepted."""

    def __init__(self, asset: str) -> None:
        super().__init__(f"There is no asset {asset[:100]!r}.", asset=asset[:100])


class UnknownPhoto(NotFound):
    """There is no set of pictures of a photograph of that digest."""

    def __init__(self, photo_set: str) -> None:
        super().__init__(f"There are no pictures of a photograph {photo_set}.", set=photo_set)


class UploadNotArrived(RenderServiceError):
    """An upload was said to be complete, and its file is not in quarantine."""

    def __init__(self, upload: str) -> None:
        super().__init__(
            "The file has not arrived: send it to the upload's `url` with its `fields`, then say "
            "that it is complete.",
            upload=upload,
        )


class UploadExpired(RenderServiceError):
    """An upload was not completed in its time; begin anew."""

    def __init__(self, upload: str) -> None:
        super().__init__("The upload has expired; begin a new one.", upload=upload)


class TooManyUploads(RenderServiceError):
    """A caller has as many uploads open as anybody may.

    Attributes:
        retry_after_s: Seconds after which the oldest of them has expired.
    """

    def __init__(self, most: int, retry_after_s: int) -> None:
        super().__init__(
            f"You have {most} uploads open, the most there may be; complete some of them, or wait "
            "until they expire.",
            most=most,
        )
        self.retry_after_s = retry_after_s


class FileRefused(RenderServiceError):
    """An uploaded file failed its check.

    Attributes:
        reason: Why, for programs.
        explanation: Why, for who made the file, and what would be right.
    """

    def __init__(self, reason: RefusedFor, explanation: str) -> None:
        super().__init__(explanation, reason=reason.value)
        self.reason, self.explanation = reason, explanation
