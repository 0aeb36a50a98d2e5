"""nginx serving files from a folder, as its documentation advises for many small ones.

The rule: one worker process, as the other servers of a comparison have one; nothing of the
machine's own nginx is read or touched.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.serving import Ready, free_port, run_command

_CONFIG = """\
{user}worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 2048; }}
http {{
  types {{ image/webp webp; }}
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_requests 10000000;
  open_file_cache max=1000 inactive=60s;
  open_file_cache_valid 60s;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    root {root};
    location = /ready {{ return 200; }}
  }}
}}
"""


@contextlib.contextmanager
def run_nginx(root: Path, folder: Path) -> Iterator[tuple[int, psutil.Process]]:
    """Serve the files in `root` until the block ends; yield the port and the worker.

    Raises:
        FileNotFoundError: nginx is not on this machine; says what to install.
    """
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise FileNotFoundError("nginx is not on this machine: apt-get install nginx-light")
    port = free_port()
    # Its workers give up root for a user who cannot enter a private folder.
    user = "user root;\n" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(user=user, folder=folder, port=port, root=root))
    command = [program, "-c", str(config), "-g", "daemon off;"]
    with run_command(command, {}, folder / "out.log", Ready(port, "/ready"), "nginx") as running:
        yield port, psutil.Process(running.pid).children()[0]
