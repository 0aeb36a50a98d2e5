"""Mail over SMTP, or into a folder where there is no server: the handler of mail jobs.

The rule: a message goes out at least once, and under one Message-ID however often, so a receiver
can tell; a password is never sent over a connection that is not encrypted.
"""

import asyncio
import logging
import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from render_service.adapters.output_file import write_output
from render_service.errors import InvalidRequest, InvalidSetting, MailNotSent
from render_service.jobs.mails import Mail
from render_service.jobs.model import JSON, Job
from render_service.jobs.ports import Task

TIMEOUT_S: Final = 30.0
"""Of each answer of the server: RFC 5321 allows minutes, and another attempt follows."""

_PORTS: Final = {"smtp": 587, "smtps": 465}
"""Submission (RFC 6409), and submission over TLS (RFC 8314)."""

_log = logging.getLogger(__name__)


class Mailing:
    """Sends messages.

    Args:
        url: `smtp://` or `smtps://user:password@host:port`; empty: they are kept in `folder`.
        sender: Whom they are from.
        folder: Of messages that are not sent; made if it is not there.
    """

    def __init__(self, url: str, *, sender: str, folder: Path) -> None:
        if url and not sender:
            raise InvalidSetting(
                "RENDER_MAIL_FROM is empty, and RENDER_SMTP_URL sends mail: whom is it from?"
            )
        self._url, self._folder = url, folder
        self._sender = sender or "render-service@localhost"

    async def handle(self, task: Task) -> JSON:
        """Send the message of a job.

        Raises:
            MailNotSent: The server cannot be reached, or refuses it.
        """
        mail = msgspec.convert(task.job.payload, Mail)
        message = self._compose(mail, task.job)
        if self._url:
            await asyncio.to_thread(self._send, message)
        else:
            await asyncio.to_thread(self._keep, message, task.job.id)
        return {"message_id": str(message["message-id"])}

    def _compose(self, mail: Mail, job: Job) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender
        message["To"] = Address(addr_spec=mail.to)
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(job.created)
        message["Message-ID"] = f"<{job.id}@{self._sender.rpartition('@')[2]}>"
        # Nobody's holiday answers it (RFC 3834).
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        return message

    def _keep(self, message: EmailMessage, job_id: str) -> None:
        file = self._folder / f"{job_id}.eml"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_output(str(file), message.as_bytes())
        except (OSError, InvalidRequest) as error:
            raise MailNotSent(f"{self._folder}: {error}") from error
        _log.info("a message is in %s", file)

    def _send(self, message: EmailMessage) -> None:
        parts = urlsplit(self._url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        context = ssl.create_default_context()
        try:
            with self._connected(parts.scheme, host, port, context) as server:
                server.ehlo()
                if parts.scheme == "smtp" and server.has_extn("starttls"):
                    server.starttls(context=context)
                    server.ehlo()
                elif parts.scheme == "smtp" and parts.username:
                    raise MailNotSent(f"{host} offers no STARTTLS, and a password needs it")
                if parts.username:
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                server.send_message(message)
        except (smtplib.SMTPException, OSError) as error:
            raise MailNotSent(f"{host}: {_told(error)}") from error

    def _connected(
        self, scheme: str, host: str, port: int, context: ssl.SSLContext
    ) -> smtplib.SMTP:
        if scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
        return smtplib.SMTP(host, port, timeout=TIMEOUT_S)


def _told(error: Exception) -> str:
    """What the server said, without whom it was about: errors of jobs are shown."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = {code for code, _ in error.recipients.values()}
        return f"the recipient was refused ({', '.join(map(str, sorted(codes)))})"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__} ({error.smtp_code})"
    return str(error) or type(error).__name__
