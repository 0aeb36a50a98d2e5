import asyncio
import itertools
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.client import Refused, ask_all, keep_busy
from benchmarks.growing import VISITED, distinct_paths, write_catalogue
from benchmarks.memory import read_held
from benchmarks.peers.art import CHOICES, configurations, file_names
from benchmarks.serving import Ready, free_port, run_command
from render_service.adapters.catalogue_folder import load_catalogue
from render_service.pixels.encode import PROFILES
from render_service.planning.planner import Planner

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print("ready", flush=True)
input()
child.stdin.close()
child.wait()
"""


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server of a few words: 503 at /busy, the path itself elsewhere."""
    while head := (await reader.readuntil(b"\r\n\r\n")).decode():
        path = head.split()[1]
        status = "503 Busy" if path == "/busy" else "200 OK"
        length = f"Content-Length: {len(path)}"
        writer.write(f"HTTP/1.1 {status}\r\n{length}\r\n\r\n{path}".encode())
        await writer.drain()


async def answer_until_gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await answer(reader, writer)
    except asyncio.IncompleteReadError:
        writer.close()


async def serve() -> tuple[asyncio.Server, int]:
    server = await asyncio.start_server(answer_until_gone, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def test_every_path_is_asked_for_once_and_answered_whole():
    server, port = await serve()
    async with server:
        answers = await ask_all(port, ["/a", "/bb", "/ccc"], at_once=2)

    assert sorted(one.body for one in answers) == [b"/a", b"/bb", b"/ccc"]


async def test_an_answer_that_is_not_200_ends_a_benchmark_and_names_the_path():
    server, port = await serve()
    async with server:
        with pytest.raises(ExceptionGroup) as raised:
            await ask_all(port, ["/a", "/busy"])

    refused = raised.value.exceptions[0]
    assert isinstance(refused, Refused)
    assert "/busy" in str(refused)


async def test_a_rate_counts_at_least_twice_as_many_answers_as_are_under_way():
    server, port = await serve()
    asked: list[str] = []
    paths = (asked.append(path) or path for path in map("/{}".format, itertools.count()))
    async with server:
        rate = await keep_busy(port, paths, at_once=4, seconds=0)

    assert rate > 0
    assert len(asked) >= 12


def test_memory_is_that_of_a_process_and_of_what_it_started():
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    process.stdout.readline()

    held = read_held("parent", process.pid)
    process.communicate(b"\n")

    assert held.processes == 2
    assert held.peak_bytes >= held.end_bytes > held.share_bytes > 0


def test_a_server_is_stopped_with_what_it_started(tmp_path: Path):
    port = free_port()
    script = (
        "import http.server, subprocess, sys;"
        "subprocess.Popen(['sleep', '600']);"
        "handler = http.server.SimpleHTTPRequestHandler;"
        f"http.server.test(handler, port={port}, bind='127.0.0.1')"
    )
    command = [sys.executable, "-c", script]
    with run_command(command, {}, tmp_path / "log", Ready(port, "/"), "a server") as running:
        family = psutil.Process(running.pid).children()

    assert family
    assert not any(child.is_running() for child in family)


def test_a_server_that_does_not_start_says_why(tmp_path: Path):
    command = [sys.executable, "-c", "raise SystemExit('no such layer')"]

    with (
        pytest.raises(RuntimeError, match="no such layer"),
        run_command(command, {}, tmp_path / "log", Ready(free_port(), "/"), "a server"),
    ):
        pass


def test_compositions_of_a_made_up_catalogue_share_no_layer_file(tmp_path: Path):
    found = load_catalogue(write_catalogue(tmp_path, 3))

    assert len(found.catalogue.compositions) == 3
    assert len(found.files) == 6


def test_pictures_that_are_to_be_distinct_share_no_key(tmp_path: Path):
    planner = Planner(load_catalogue(write_catalogue(tmp_path, VISITED)).catalogue, PROFILES)

    paths = list(itertools.islice(distinct_paths(planner, VISITED), 50))

    assert len(set(paths)) == 50


def test_the_peers_draw_every_configuration_once_from_six_layers():
    every = list(configurations(seed=1))

    assert len(set(every)) == CHOICES["ground"] * CHOICES["metal"] * CHOICES["gem"]
    assert {len(file_names(one)) for one in every} == {6}
