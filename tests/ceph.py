"""A real S3 for tests: Ceph's gateway over one monitor and one store in memory, on loopback.

It verifies signatures, digests and conditions as Amazon does; imitations do not. Every process is
ours, stays in the foreground, and is ended by its pid.
"""

import contextlib
import os
import secrets
import shutil
import subprocess
import uuid

import aioboto3
import boto3
import httpx

from tests.servers import free_port, missing, wait_until

PROGRAMS = ("ceph-mon", "ceph-osd", "ceph-mgr", "radosgw", "radosgw-admin", "monmaptool", "ceph")

CONFIG = """
[global]
fsid = {fsid}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
mon_host = [v2:127.0.0.1:{monitor}]
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
auth_supported = none
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pgp_num = 8
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
mon_data_avail_crit = 1
mon_max_pg_per_osd = 1000
run_dir = {folder}
admin_socket = {folder}/$name.asok
log_file = {folder}/$name.log
ms_bind_ipv6 = false
ms_mon_client_mode = crc
ms_mon_service_mode = crc
ms_mon_cluster_mode = crc
ms_cluster_mode = crc
ms_service_mode = crc
ms_client_mode = crc
[mon.a]
mon_data = {folder}/mon
mon_cluster_log_file = {folder}/cluster.log
[osd.0]
osd_data = {folder}/osd
osd_objectstore = memstore
memstore_device_bytes = 1073741824
osd_memory_target = 939524096
osd_max_object_name_len = 256
osd_max_object_namespace_len = 64
[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:{gateway}
rgw_data = {folder}/rgw
rgw_dns_name = localhost
rgw_thread_pool_size = 64
rgw_zone_root_pool = .rgw.root
"""


class Ceph:
    """A running gateway.

    Attributes:
        url: Its endpoint.
        access_key: Of its one user.
        secret_key: Likewise.
    """

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.access_key, self.secret_key = secrets.token_hex(10), secrets.token_hex(20)
        self._config = folder / "ceph.conf"
        self._processes = []

    def start(self):
        fsid, monitor = str(uuid.uuid4()), free_port()
        for name in ("mon", "osd", "rgw"):
            (self.folder / name).mkdir()
        self._config.write_text(
            CONFIG.format(fsid=fsid, monitor=monitor, gateway=self.port, folder=self.folder)
        )
        monmap = self.folder / "monmap"
        address = f"[v2:127.0.0.1:{monitor}]"
        self._do("monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, monmap)
        self._do("ceph-mon", "--id", "a", "--mkfs", "--monmap", monmap)
        self._run("ceph-mon", "--id", "a", "-f")
        disk = str(uuid.uuid4())
        self._do("ceph", "osd", "new", disk)
        self._do("ceph-osd", "--id", "0", "--mkfs", "--osd-uuid", disk)
        self._run("ceph-osd", "--id", "0", "-f")
        self._do("ceph", "osd", "crush", "add", "osd.0", "1", "root=default", "host=local")
        wait_until(lambda: "1 up" in self._do("ceph", "osd", "stat"), self._why)
        self._run("radosgw", "--name", "client.rgw", "-f")
        wait_until(self._answers, self._why)
        user = ("--uid", "app", "--display-name", "app")
        keys = ("--access-key", self.access_key, "--secret-key", self.secret_key)
        self._do("radosgw-admin", "--name", "client.rgw", "user", "create", *user, *keys)

    def stop(self):
        for process in reversed(self._processes):
            process.kill()
            process.wait()

    def _do(self, *command):
        environment = {**os.environ, "CEPH_CONF": str(self._config)}
        words = [*map(str, command), *(() if command[0] == "monmaptool" else self._conf())]
        done = subprocess.run(
            words, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def _run(self, *command):
        with (self.folder / f"{command[0]}.out").open("wb") as log:
            words = [*command, *self._conf()]
            self._processes.append(subprocess.Popen(words, stdout=log, stderr=log))

    def _conf(self):
        return ("--conf", str(self._config))

    def _answers(self):
        try:
            return httpx.get(self.url).status_code < 500
        except httpx.TransportError:
            return False

    def _why(self):
        return "\n".join(path.read_text() for path in self.folder.glob("*.out"))


class Bucket:
    """A bucket.

    Attributes:
        endpoint: Of the server it is in.
        name: Its name.
    """

    def __init__(self, endpoint, name):
        self.endpoint, self.name = endpoint, name

    def client(self):
        """The server as anybody's client sees it; a context."""
        return aioboto3.Session().client("s3", endpoint_url=self.endpoint)


def make_bucket(ceph):
    """Make a new bucket; credentials are those of the environment."""
    name = f"test-{secrets.token_hex(8)}"
    client = boto3.client("s3", endpoint_url=ceph.url)
    client.create_bucket(Bucket=name)
    client.close()
    return Bucket(ceph.url, name)


@contextlib.contextmanager
def run_ceph(folder):
    """Run a gateway with its files in `folder`; ready in a quarter of a minute."""
    for program in PROGRAMS:
        if shutil.which(program) is None:
            missing("no Ceph: apt-get install radosgw ceph-mon ceph-osd ceph-mgr")
    ceph = Ceph(folder)
    try:
        ceph.start()
        yield ceph
    finally:
        ceph.stop()
