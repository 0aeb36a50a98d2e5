"""Mail: sent to a real server, or kept in a folder; never with a password in the clear."""

import asyncio
import email
import mailbox
import subprocess
import sys
from datetime import UTC, datetime
from email.policy import default
from types import SimpleNamespace

import msgspec
import pytest

from render_service.adapters.mailing import Mailing
from render_service.errors import InvalidSetting, MailNotSent
from render_service.jobs.mails import Mail, order_mail
from tests.servers import free_port, wait_until

MAIL = Mail(to="anna@example.org", subject="Zwölf Ringe", text="Da.\n", html="<p>Da.</p>\n")
SENDER = "shop@example.org"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A mail server that keeps what it takes: (URL, its mailbox)."""
    folder, port = tmp_path_factory.mktemp("mail") / "box", free_port()
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}"]
    process = subprocess.Popen(
        [*command, "-c", "aiosmtpd.handlers.Mailbox", str(folder)], stderr=subprocess.PIPE
    )
    try:
        wait_until(folder.is_dir, lambda: "no mailbox")
        yield f"smtp://127.0.0.1:{port}", mailbox.Maildir(folder)
    finally:
        process.kill()
        process.communicate()


def task_of(payload=MAIL, number=1):
    job = SimpleNamespace(
        id=f"job-{number}", payload=msgspec.to_builtins(payload), created=datetime.now(UTC)
    )
    return SimpleNamespace(job=job)


async def sent(mailing, task):
    """Send, again until the server has started."""
    for _ in range(100):
        try:
            return await mailing.handle(task)
        except MailNotSent as error:
            if "refused" not in str(error):
                raise
            await asyncio.sleep(0.1)
    raise AssertionError("the mail server did not start")


async def test_a_message_arrives_as_text_and_html(server, tmp_path):
    url, box = server
    result = await sent(Mailing(url, sender=SENDER, folder=tmp_path), task_of())
    (message,) = [email.message_from_bytes(bytes(one), policy=default) for one in box]
    assert (message["from"], message["to"]) == (SENDER, MAIL.to)
    assert message["subject"] == MAIL.subject
    assert message["message-id"] == result["message_id"] == "<job-1@example.org>"
    assert message.get_body(("plain",)).get_content() == MAIL.text
    assert message.get_body(("html",)).get_content() == MAIL.html


async def test_sent_again_it_has_the_same_id(server, tmp_path):
    mailing = Mailing(server[0], sender=SENDER, folder=tmp_path)
    first, again = await sent(mailing, task_of()), await sent(mailing, task_of())
    assert msgspec.json.encode(first) == msgspec.json.encode(again)


async def test_a_password_is_not_sent_in_the_clear(server, tmp_path):
    url = server[0].replace("//", "//user:secret@")
    await sent(Mailing(server[0], sender=SENDER, folder=tmp_path), task_of())
    with pytest.raises(MailNotSent, match="offers no STARTTLS") as refused:
        await Mailing(url, sender=SENDER, folder=tmp_path).handle(task_of())
    assert "secret" not in str(refused.value)


async def test_a_server_that_is_away_is_told_of(tmp_path):
    mailing = Mailing(f"smtp://127.0.0.1:{free_port()}", sender=SENDER, folder=tmp_path)
    with pytest.raises(MailNotSent, match=r"127\.0\.0\.1"):
        await mailing.handle(task_of())


async def test_without_a_server_messages_are_kept_in_a_folder(tmp_path):
    mailing = Mailing("", sender="", folder=tmp_path / "mail")
    await mailing.handle(task_of())
    await mailing.handle(task_of())
    (file,) = (tmp_path / "mail").iterdir()
    message = email.message_from_bytes(file.read_bytes(), policy=default)
    assert (file.name, message["to"]) == ("job-1.eml", MAIL.to)


def test_a_server_without_a_sender_is_refused(tmp_path):
    with pytest.raises(InvalidSetting, match="RENDER_MAIL_FROM"):
        Mailing("smtp://mail.example", sender="", folder=tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "anna"},
        {"to": "anna@example.org\r\nBcc: all@example.org"},
        {"to": "anna@example.org, ben@example.org"},
        {"subject": "Hello\r\nBcc: all@example.org"},
        {"to": "anna@example.org\n"},
        {"subject": "Hello\n"},
        {"subject": ""},
        {"text": "x" * 100_001},
    ],
)
def test_what_is_no_message_is_not_ordered(changes):
    with pytest.raises(msgspec.ValidationError):
        order_mail(msgspec.structs.replace(MAIL, **changes), "anna")
