"""The direct needs, the lock, the project's own list and the environment that runs this agree."""

import importlib.util
import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("set_up", ROOT / "set_up.py")
set_up = importlib.util.module_from_spec(spec)
spec.loader.exec_module(set_up)

LOCK = set_up.packages((ROOT / "requirements.lock").read_text())
# Its metadata asks for the torch, torchvision, numpy and pillow of 2024. The book's tests run it with newer ones.
OVERRIDDEN = {"facenet-pytorch"}


def locked(name: str) -> Requirement:
    """What the lock says of a package, without its hashes."""
    return Requirement(LOCK[name].split("\\\n")[0])


def version(requirement: Requirement) -> str:
    (pin,) = requirement.specifier
    assert pin.operator == "==", requirement
    return pin.version


def direct() -> list[Requirement]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_the_lock_holds_the_direct_needs():
    wanted = {canonicalize_name(need.name): version(need) for need in direct()}
    assert wanted == {name: version(locked(name)) for name in wanted if name in LOCK}, "run `make lock`"


def test_the_project_needs_nothing_else():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needs = project["project"]["dependencies"] + project["build-system"]["requires"]
    pinned = {canonicalize_name(need.name): version(need) for need in direct()}
    for need in map(Requirement, needs):
        assert need.specifier.contains(pinned[canonicalize_name(need.name)]), need


def test_every_package_has_its_hashes():
    for name, lines in LOCK.items():
        first, *hashes = [line.strip(" \\\n") for line in lines.splitlines()]
        assert re.match(r"[a-z0-9.-]+==\S+( ; .+)?$", first), first
        assert hashes and all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line) for line in hashes), name


def test_the_lock_names_no_place():
    assert not re.search(r"^--?\w|://|@ ", (ROOT / "requirements.lock").read_text(), re.MULTILINE)


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize(
    ("system", "machine", "left_out"),
    [("Linux", "x86_64", 6), ("Linux", "aarch64", 6), ("Darwin", "arm64", 0)],
)
def test_what_is_left_out_without_a_gpu(python, system, machine, left_out):
    environment = {
        "platform_system": system,
        "sys_platform": system.lower(),
        "platform_machine": machine,
        "python_version": python,
        "python_full_version": f"{python}.1",
    }
    here = {name for name in LOCK if not locked(name).marker or locked(name).marker.evaluate(environment)}
    assert len(here & set_up.GPU_ONLY) == left_out
    assert {"torch", "torchvision", "lightning"} <= here


def test_what_is_only_for_a_gpu_stands_in_the_lock():
    assert set(LOCK) >= set_up.GPU_ONLY | set_up.BUILDERS


@pytest.fixture(scope="module")
def installed() -> dict[str, str]:
    """Version of each package of the lock that is installed in this environment."""
    found = {}
    for name in LOCK:
        try:
            found[name] = distribution(name).version
        except PackageNotFoundError:
            continue
    return found


def test_the_environment_is_what_the_lock_says(installed):
    wanted = {
        name: version(locked(name))
        for name in LOCK
        if (not locked(name).marker or locked(name).marker.evaluate())
        and (name in installed or name not in set_up.GPU_ONLY)
    }
    assert {name: installed.get(name) for name in wanted} == wanted, (
        f"`make setup` makes {ROOT / '.venv'}; these tests run in {sys.prefix}"
    )


def test_every_need_of_every_package_is_met(installed):
    """The set-up installs the lock without asking pip for what it lacks, so the lock must lack nothing."""
    unmet = []
    for name in installed.keys() - OVERRIDDEN:
        for need in map(Requirement, distribution(name).requires or []):
            wanted = canonicalize_name(need.name)
            if wanted in set_up.GPU_ONLY and wanted not in installed:
                continue
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                found = installed.get(wanted)
                if found is None or not need.specifier.contains(found, prereleases=True):
                    unmet.append(f"{name} asks for {need}; there is {found}")
    assert not unmet


def test_packages_reads_markers_and_comments():
    marked = 'a-b==1 ; x == "y" \\\n    --hash=sha256:0\n'
    plain = "c==2 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n"
    assert set_up.packages(f"# made by us\n{marked}    # via c\n{plain}") == {"a-b": marked, "c": plain}
