"""Varnish and nginx as `deploy/edge/` sets them up, on free ports of this machine."""

import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.http.server import free_port
from tests.servers import missing

EDGE = Path(__file__).parents[2] / "deploy" / "edge"

# What differs from deploy/edge/origin.vcl: the port, and that a test need not wait for the probe.
ORIGIN_VCL = """
backend origin {{
    .host = "127.0.0.1";
    .port = "{port}";
    .probe = {{
        .url = "/readyz"; .interval = 0.2s; .timeout = 0.5s;
        .window = 2; .threshold = 1; .initial = 1;
    }}
}}
acl purgers {{ "127.0.0.1"; }}
"""
ORIGIN = "from tests.edge.origin import main; main()"
ORIGIN_CONF = "upstream render_service {{ server 127.0.0.1:{port}; keepalive 32; }}"


class Edge:
    """A running edge.

    Attributes:
        name: varnish or nginx.
        url: Where it listens.
        proxied_port: Where Varnish takes connections that name their client (PROXY protocol).
    """

    def __init__(self, name, port, proxied_port=None):
        self.name, self.proxied_port = name, proxied_port
        self.url = f"http://127.0.0.1:{port}"


def requests_of(data):
    """Return the file where the origin with the folder `data` writes what it is asked."""
    return data.parent / "requests.jsonl"


def program(name, package):
    """Return the path of a server; without it the tests fail in CI and are skipped elsewhere."""
    # Debian's servers are in /usr/sbin, which is not on everyone's path.
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    return path or missing(f"no {name} here: apt-get install {package}")


@contextmanager
def run_varnish(origin_port, folder):
    """Run Varnish in front of the port, with its working files in `folder`."""
    (folder / "origin.vcl").write_text(ORIGIN_VCL.format(port=origin_port))
    port, proxied_port = free_port(), free_port()
    command = [
        *[program("varnishd", "varnish varnish-modules"), "-F", "-n", str(folder / "work")],
        *["-a", f"127.0.0.1:{port}", "-a", f"127.0.0.1:{proxied_port},PROXY"],
        *["-f", str(EDGE / "varnish.vcl"), "-p", f"vcl_path={folder}:{EDGE}"],
        # Not as another user, who could not read a temporary folder of ours.
        *["-j", "none", "-T", "none", "-s", "malloc,64m"],
    ]
    with _running(command, folder, port):
        yield Edge("varnish", port, proxied_port)


@contextmanager
def run_nginx(origin_port, folder):
    """Run nginx in front of the port, with its cache in `folder`."""
    for name in ("nginx.conf", "picture.conf"):
        shutil.copy(EDGE / name, folder)
    port = free_port()
    (folder / "origin.conf").write_text(ORIGIN_CONF.format(port=origin_port))
    (folder / "listen.conf").write_text(f"listen 127.0.0.1:{port};")
    command = [
        *[program("nginx", "nginx-light"), "-p", f"{folder}/", "-c", str(folder / "nginx.conf")],
        *["-e", "stderr", "-g", "daemon off;" + (" user root;" if os.geteuid() == 0 else "")],
    ]
    with _running(command, folder, port):
        yield Edge("nginx", port)


RUN = {"varnish": run_varnish, "nginx": run_nginx}


@contextmanager
def _running(command, folder, port):
    log = folder / "edge.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        _wait_until_it_answers(process, port, log)
        yield
    finally:
        process.terminate()
        process.wait(60)


def _wait_until_it_answers(process, port, log):
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s and process.poll() is None:
        try:
            # 200 also says that Varnish's probe has seen the service.
            if httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"the edge did not start:\n{log.read_text()}")
