"""Render the staged site with jupyter-book, every warning an error.

Run as ``python -m ferbook.book.site FOLDER CONFIG TOC [FILES...]`` from the checkout: plain pages and static files are
copied into FOLDER, where the executed notebooks already lie, and the book is rendered there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from ferbook import __version__
from ferbook.book import publishing
from ferbook.core.errors import ended


def stage(folder: Path, config: Path, toc: Path, files: list[Path]) -> None:
    """Copy what the renderer reads into `folder`, keeping relative paths.

    The notebooks there are executed already, so the configuration's ``execute_notebooks`` is turned off in the copy. It
    also gets the version at the foot of each page and, where a repository is set, buttons that open pages elsewhere.
    """
    for old in folder.rglob("book/**/*.md"):
        # A page that has become a notebook since the last build would be there twice.
        if old.with_suffix(".ipynb").is_file() and old.relative_to(folder) not in files:
            old.unlink()
    for path in [toc, *files]:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    settings = publishing.launched(yaml.safe_load(config.read_text(encoding="utf-8")))
    settings["execute"] = {"execute_notebooks": "off"}
    settings["html"] = {**settings.get("html", {}), "extra_footer": f"<p>Version {__version__}</p>"}
    (folder / config.name).write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")


def render(folder: Path) -> int:
    """Build the HTML; returns jupyter-book's exit status. Its output is shown only where it fails.

    After a rendering that did not end well everything is rendered again: Sphinx would take half a page for a whole one,
    and say no warning a second time.

    Raises
    ------
    OSError: if the renderer had no room or no right to write.
    """
    unfinished = folder / ".unfinished"
    if unfinished.exists():
        shutil.rmtree(folder / "_build", ignore_errors=True)
    unfinished.touch()
    program = Path(sys.executable).with_name("jupyter-book")
    command = [str(program), "build", "-n", "-W", "--keep-going", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stdout + done.stderr
        # What the system refused is told as everywhere; a traceback of the renderer's would hide it.
        if refused := re.search(r"\[Errno (\d+)\]", said):
            raise OSError(int(refused[1]), os.strerror(int(refused[1])), str(folder))
        sys.stderr.write(said)
    else:
        unfinished.unlink()
    return done.returncode


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    folder, config, toc, *files = (Path(argument) for argument in arguments or sys.argv[1:])

    def build() -> int:
        stage(folder, config, toc, files)
        return render(folder)

    return ended(build, failed=1)


if __name__ == "__main__":
    sys.exit(main())
