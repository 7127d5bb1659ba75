"""The set-up on a small project: packages of a few lines, served by this process, installed by the real pip."""

import hashlib
import importlib.util
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SET_UP = Path(__file__).parents[2] / "set_up.py"
FILES = 1000  # of the package that is cut off while it is copied: enough to be met half-way
# Says that the last step has come, and waits there to be killed where a test asks for that.
TORCH = """
import os, time
from pathlib import Path
if "REACHED" in os.environ:
    Path(os.environ["REACHED"]).touch()
    time.sleep(600)
"""
BACKEND = '''
"""A build that needs nothing fetched."""
import zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "project-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("project.py", "")
        wheel.writestr("project-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: project\\nVersion: 1\\n")
        wheel.writestr("project-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("project-1.dist-info/RECORD", "")
    return name
'''

# Found, not imported: pip's import puts setuptools in the place of distutils, which is a warning after some imports.
PIP = str(Path(importlib.util.find_spec("pip").origin).parent)
# `python -m venv`, but with a link to this process's pip: to unpack one takes most of the time of a test.
VENV = f"""
import os, runpy, sys
from pathlib import Path
sys.path[:] = [folder for folder in sys.path if Path(folder) != Path(__file__).parent]
sys.argv.insert(1, "--without-pip")
try:
    runpy.run_module("venv", run_name="__main__", alter_sys=True)
except SystemExit as end:
    if end.code:
        raise
site = next(Path(sys.argv[-1]).glob("lib/python3.*/site-packages"))
os.symlink({PIP!r}, site / "pip")
"""


def wheel(name: str, files: dict[str, str]) -> bytes:
    """A package. Its description comes first: cut off while copied, pip would take it for installed."""
    info = f"{name}-1.dist-info"
    description = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path, text in (description | files | {f"{info}/RECORD": ""}).items():
            archive.writestr(path, text)
    return content.getvalue()


WHEELS = {
    "lightning": wheel("lightning", {"lightning.py": ""}),
    "torch": wheel("torch", {"torch/__init__.py": TORCH} | {f"torch/part{i}.txt": "part" for i in range(FILES)}),
    "torchvision": wheel("torchvision", {"torchvision.py": ""}),
    "triton": wheel("triton", {"triton.py": ""}),
}


class Index(BaseHTTPRequestHandler):
    """A page of links and the packages; the one named by ``server.broken`` breaks off half-way."""

    def do_GET(self):
        name = self.path.lstrip("/").split("-")[0]
        self.server.asked.append(name)
        self.send_response(200)
        if name in WHEELS:
            body = WHEELS[name]
            self.send_header("Content-Type", "application/zip")
            self.send_header("Cache-Control", "max-age=86400")
        else:
            body = "".join(f'<a href="/{name}-1-py3-none-any.whl">{name}</a>' for name in WHEELS).encode()
            self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if name == self.server.broken else body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def index():
    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        server.asked, server.broken = [], None
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Project:
    """A folder with the set-up and a lock of four packages."""

    def __init__(self, root: Path, index: ThreadingHTTPServer):
        self.root, self.venv = root, root / ".venv"
        root.mkdir()
        shutil.copy(SET_UP, root)
        (root / "backend.py").write_text(BACKEND)
        self.pyproject = root / "pyproject.toml"
        self.pyproject.write_text('[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n')
        self.lock({name: hashlib.sha256(content).hexdigest() for name, content in WHEELS.items()})
        (root.parent / "modules").mkdir()
        (root.parent / "modules" / "venv.py").write_text(VENV)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
        self.environ = kept | {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": f"http://127.0.0.1:{index.server_address[1]}/",
            "PIP_CACHE_DIR": str(root.parent / "cache"),
            "PIP_TRUSTED_HOST": f"127.0.0.1:{index.server_address[1]}",  # pip keeps what such hosts send
            "PIP_RETRIES": "0",
            "PYTHONPATH": str(root.parent / "modules"),
            "NO_PROXY": "127.0.0.1",
        }

    def lock(self, hashes: dict[str, str]) -> None:
        lines = [f"{name}==1 \\\n    --hash=sha256:{digest}\n    # via us\n" for name, digest in hashes.items()]
        (self.root / "requirements.lock").write_text("# By hand.\n" + "".join(lines))

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen:
        command = [sys.executable, str(self.root / "set_up.py"), *arguments]
        return subprocess.Popen(
            command,
            env=self.environ | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def set_up(self, *arguments: str) -> tuple[int, str]:
        process = self.start(*(arguments or ["--cuda=0"]))
        said = process.communicate(timeout=300)[0]
        assert "Traceback" not in said
        return process.returncode, said

    def site(self) -> Path:
        return next(self.venv.glob("lib/python3.*/site-packages"))

    def finished(self) -> bool:
        return (self.venv / ".set-up").exists()

    def whole(self) -> bool:
        parts = len(list((self.site() / "torch").glob("part*.txt")))
        return self.finished() and parts == FILES and (self.site() / "project.py").exists()


@pytest.fixture
def project(tmp_path, index):
    return Project(tmp_path / "the reader's project", index)


def kill_when(process: subprocess.Popen, reached, *, alone: bool = False) -> None:
    """Kill the set-up, with all that it started unless ``alone``, as soon as ``reached()``."""
    end = time.monotonic() + 300
    while not reached():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < end
        time.sleep(0.002)
    (os.kill if alone else os.killpg)(process.pid, signal.SIGKILL)
    process.stdout.close()
    process.wait()


def test_set_up_after_kills(project, tmp_path):
    reached = tmp_path / "reached"
    steps = {
        "the environment is made": lambda: (project.venv / "bin").exists(),
        "a package is copied": lambda: len(list(project.venv.glob("lib/*/site-packages/torch/part*"))) > 10,
        "all is there but not checked": reached.exists,
    }
    for step, is_reached in steps.items():
        kill_when(project.start("--cuda=0", REACHED=str(reached)), is_reached)
        assert not project.finished(), step
    status, said = project.set_up()
    assert status == 0, said
    assert project.whole()
    # Nothing changed: nothing is done, and nothing said.
    assert project.set_up() == (0, "")
    # A change of the project installs the project alone.
    project.pyproject.write_text(project.pyproject.read_text() + "# changed\n")
    before = (project.site() / "torch" / "part0.txt").stat().st_ino
    assert "(project)" in project.set_up()[1]
    assert project.whole() and (project.site() / "torch" / "part0.txt").stat().st_ino == before
    # What only a GPU needs comes on demand, and stays.
    assert not (project.site() / "triton.py").exists()
    assert "(gpu)" in project.set_up("--cuda=1")[1]
    assert (project.site() / "triton.py").exists()
    assert project.set_up() == (0, "")
    assert json.loads((project.venv / ".set-up").read_text())["gpu"]


def test_broken_download_and_wrong_content(project, index):
    index.broken = "torchvision"
    status, said = project.set_up()
    assert status == 1 and "`make setup` again" in said
    assert not project.finished()
    index.broken = None
    status, said = project.set_up()
    assert status == 0, said
    assert project.whole()
    assert index.asked.count("torch") == 1  # fetched whole the first time
    # Other content under the same name and version is refused.
    good = {name: hashlib.sha256(content).hexdigest() for name, content in WHEELS.items()}
    project.lock(good | {"lightning": "0" * 64})
    status, said = project.set_up()
    assert status == 1 and "lightning" in said and "HASH" in said.upper()
    assert not project.finished()


def test_two_at_once_and_a_step_that_outlives_its_set_up(project, tmp_path):
    # Killed alone, the set-up leaves pip at work; the next ones wait until it has ended.
    kill_when(
        project.start("--cuda=0"),
        lambda: any(project.venv.glob("lib/*/site-packages/torch/part*")),
        alone=True,
    )
    both = [project.start("--cuda=0") for _ in range(2)]
    said = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("is set up" in text for text in said) == 1
    assert any("waiting for it" in text for text in said)
    assert project.whole()
