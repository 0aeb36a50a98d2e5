"""Errors of background work: each says where the job stands, and what can be done with it."""

from render_service.errors.asked import NotFound
from render_service.errors.root import RenderServiceError


class UnknownJob(NotFound):
    """There is no job of that id; those that were over for long are removed."""

    def __init__(self, job: str) -> None:
        super().__init__(
            f"There is no job {job[:80]!r}; jobs that are over are kept for a while only.",
            job=job[:200],
        )


class MailNotSent(RenderServiceError):
    """A message could not be handed over; it is tried again.

    Args:
        reason: What was found.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"The message was not sent: {reason}.")


class JobOver(RenderServiceError):
    """A job cannot be cancelled: it is over."""

    def __init__(self, job: str, status: str) -> None:
        super().__init__(
            f"The job {job} is {status}: only one that is queued or running can be cancelled.",
            job=job,
            job_status=status,
        )


class JobNotParked(RenderServiceError):
    """A job cannot be retried: it is under way, or done, or another of its key is.

    Args:
        job: Its id.
        status: Where it stands.
        live: The other one, if there is one.
    """

    def __init__(self, job: str, status: str, live: str | None = None) -> None:
        reason = (
            f"the job {live} of the same key is under way"
            if live
            else "only one that failed or was cancelled can be retried"
        )
        super().__init__(f"The job {job} is {status}: {reason}.", job=job, job_status=status)


class AttemptOver(RenderServiceError):
    """An attempt at a job may do no more; a handler lets it through."""


class Superseded(AttemptOver):
    """Another attempt has the job, or it is over: this one was paused for too long."""

    def __init__(self, job: str) -> None:
        super().__init__(f"The job {job} is no longer that of this attempt.", job=job)


class JobCancelled(AttemptOver):
    """Somebody asked for the end of the job."""

    def __init__(self, job: str) -> None:
        super().__init__(f"The job {job} was cancelled.", job=job)


class QueueUnavailable(RenderServiceError):
    """The queue could not be told of jobs: they are kept, and told of when it is back.

    Attributes:
        reason: What was found: for the log, as it may name hosts.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("The queue of jobs cannot be used at the moment.")
        self.reason = reason


class ChildFailed(RenderServiceError):
    """Work in a process of its own came to no end of its own.

    Args:
        reason: What became of it, as the end of a sentence.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"The work was given up: {reason.rstrip('.')}.")
        self.reason = reason

    def __reduce__(self) -> tuple[type["ChildFailed"], tuple[str]]:
        """It is handed from process to process."""
        return ChildFailed, (self.reason,)
