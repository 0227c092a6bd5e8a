"""What stands between client and mock upstream, each as a real process: nothing, a bare hop, ours, LiteLLM's proxy."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

REFUSED = ("1.82.7", "1.82.8")
"""Releases of LiteLLM that were tampered with; never started."""
LONGEST_START = 120.0
OURS_CORE, OTHERS_CORE = 1, 0
"""With two cores or more, the contestant has one to itself; mock and load generator share another."""


class ContestantError(Exception):
    """A contestant that cannot run, and why."""


class Process(NamedTuple):
    """A running contestant."""

    name: str
    url: str
    """Base URL with `/v1`."""
    ready_seconds: float
    """From starting the process to its first answer."""
    child: subprocess.Popen[str]

    def memory(self) -> float:
        """Resident memory of the process and its children, MB."""
        return sum(_resident(pid) for pid in _family(self.child.pid)) / 1e6

    def worked(self) -> float:
        """Seconds that its threads and children were on a processor: what it costs, whatever else the machine does."""
        return sum(_on_processor(pid) for pid in _family(self.child.pid))

    def stop(self) -> None:
        """Ask it to end; kill it when it does not."""
        self.child.terminate()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        if self.child.stdin is not None:
            self.child.stdin.close()


def pinning() -> bool:
    """Whether processes can be given a core of their own."""
    return hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) > 1 and shutil.which("taskset") is not None


def command(core: int, arguments: Sequence[str]) -> list[str]:
    """The command on this core, where that can be had."""
    return ["taskset", "-c", str(core), *arguments] if PINNED else list(arguments)


PINNED = pinning()


def mock(folder: Path) -> Process:
    """The upstream."""
    return _start("mock", OTHERS_CORE, [sys.executable, "-m", "bench.mock_upstream"], folder)


def bare_hop(upstream: str, folder: Path) -> Process:
    """The least a proxy can do."""
    return _start("bare hop", OURS_CORE, [sys.executable, "-m", "bench.bare_hop", "--upstream", upstream], folder)


def ours(upstream: str, folder: Path, *, name: str = "mrblue", semantic: bool = False) -> Process:
    """`mrblue gateway` with cache, budget, ledger and log as they are by default."""
    state = folder / f"state-{name.replace(' ', '-')}"
    state.mkdir()
    config = state / "gateway.yaml"
    endpoint = f"{upstream}/chat/completions"
    models = [{"name": model, "endpoint": endpoint} for model in ("mock", "mock-paced")]
    table = {
        "providers": [{"name": "openai", "priority": 1, "models": models}],
        "caching": {"enabled": True, "semantic": semantic},
        "budget": {"daily_limit": 1_000_000, "monthly_limit": 10_000_000},
    }
    config.write_text(json.dumps(table))  # JSON is YAML
    program = [sys.executable, "-m", "mrblue_cli", "gateway", "--config", str(config), "--port", str(free_port())]
    places = {f"XDG_{kind}_HOME": str(state / kind.lower()) for kind in ("CONFIG", "DATA", "CACHE", "STATE")}
    return _start(name, OURS_CORE, program, state, {"OPENAI_API_KEY": "sk-mock", **places})


def litellm_version(python: str) -> str:
    """The version in that environment. Raises `ContestantError` when it is absent or must not run."""
    code = "import importlib.metadata as m; print(m.version('litellm'))"
    found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    version = found.stdout.strip()
    if found.returncode:
        raise ContestantError(f"{python} has no LiteLLM: pip install 'litellm[proxy]' there, or leave --litellm out.")
    if version in REFUSED:
        raise ContestantError(f"LiteLLM {version} is a tampered release; it is not started. Install another one.")
    return version


def litellm(python: str, upstream: str, folder: Path) -> Process:
    """LiteLLM's proxy, one worker, without database, as its quick start has it."""
    version = litellm_version(python)
    models = [
        {"model_name": name, "litellm_params": {"model": f"openai/{name}", "api_base": upstream, "api_key": "sk-mock"}}
        for name in ("mock", "mock-paced")
    ]
    config = folder / "litellm.yaml"
    config.write_text(json.dumps({"model_list": models}))
    port = free_port()
    program = [str(Path(python).with_name("litellm")), "--config", str(config), "--host", "127.0.0.1"]
    # Its price list would be fetched from the network at every start.
    more = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "DO_NOT_TRACK": "1"}
    more["LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"] = "true"  # as ours: no keys on loopback
    address = f"http://127.0.0.1:{port}"
    return _start(
        f"LiteLLM {version}", OURS_CORE, [*program, "--port", str(port), "--num_workers", "1", "--telemetry", "False"],
        folder, more, poll=f"{address}/health/liveliness", url=f"{address}/v1",
    )  # fmt: skip


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _start(
    name: str,
    core: int,
    arguments: Sequence[str],
    folder: Path,
    more: dict[str, str] | None = None,
    *,
    poll: str = "",
    url: str = "",
) -> Process:
    """Start it and wait until it says, or answers, that it is ready."""
    said, errors = (folder / f"{name.split(maxsplit=1)[0]}.{kind}" for kind in ("out", "err"))
    environment = {**os.environ, **(more or {}), "PYTHONPATH": str(Path.cwd())}
    began = time.perf_counter()
    # Files, not pipes: a log that nobody reads must not hold up the one who writes it.
    with said.open("w") as out, errors.open("w") as log:
        child = subprocess.Popen(
            command(core, arguments), stdin=subprocess.PIPE, stdout=out, stderr=log, text=True, env=environment
        )
    process = Process(name, url, 0.0, child)
    while time.perf_counter() - began < LONGEST_START and child.poll() is None:
        address = _answers(poll, url) if poll else _announced(said)
        if address:
            return process._replace(url=address, ready_seconds=time.perf_counter() - began)
        time.sleep(0.01)
    process.stop()
    raise ContestantError(f"{name} did not become ready. Its last words:\n{errors.read_text()[-1500:]}")


def _announced(said: Path) -> str:
    """The address in the line with which our programs say that they are ready; empty: not yet."""
    for line in said.read_text().splitlines(keepends=True):
        if " ready on http" in line and line.endswith("\n"):
            address = line.partition(" ready on ")[2].split()[0]
            return address if address.endswith("/v1") else f"{address}/v1"
    return ""


def _answers(poll: str, url: str) -> str:
    """The address of a program that says nothing but answers here; empty: not yet."""
    try:
        with urlopen(poll, timeout=2) as answer:  # noqa: S310 - our own loopback address
            return url if answer.status == 200 else ""
    except (URLError, OSError):
        return ""


def _family(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return found
    for child in below:
        found += _family(int(child))
    return found


def _on_processor(pid: int) -> float:
    """Seconds of all threads (Linux: Documentation/scheduler/sched-stats); 0 where that is not to be had."""
    total = 0
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total += int(path.read_text().split()[0])
        except (OSError, IndexError):
            continue  # a thread that has just ended
    return total / 1e9


def _resident(pid: int) -> int:
    """Bytes; 0 for a process that is gone, or where /proc is not."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
