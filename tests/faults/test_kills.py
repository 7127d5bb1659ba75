"""SIGKILL at any moment, then the same command again: the same numbers, nothing left behind, no half file believed.

``make test`` kills each command once or a few times; ``make faults`` (FERBOOK_FAULTS=long) 25 times in all, and
says so. FERBOOK_SEED chooses other moments.
"""

import os
import random
import signal

import pytest

from tests.faults.killing import JOBS, Place, Running, warm_up

pytest.importorskip("facenet_pytorch")
LONG = os.environ.get("FERBOOK_FAULTS") == "long"
#: Kills by command: of a forked process before the n-th change of a file and after a share of its time; of the command
#: as a user starts it, after a share of its time.
KILLS = {
    "train": (1, 1, 0),
    "sweep": (1, 0, 0),
    "data": (1, 0, 0),
    "predict": (1, 0, 0),
    # A page is killed as part of the book.
    "book": (0, 0, 1),
}
LONG_KILLS = {
    "train": (2, 1, 2),
    "sweep": (2, 1, 2),
    "data": (2, 0, 2),
    "predict": (2, 0, 2),
    "page": (0, 0, 3),
    "book": (0, 0, 4),
}
counted: dict[str, int] = {}


@pytest.fixture(scope="module", autouse=True)
def count(request):
    warm_up()
    yield
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        by_command = ", ".join(f"{name} {kills}" for name, kills in counted.items())
        print(f"\n{sum(counted.values())} kills, after each the command ended as an undisturbed one: {by_command}")


class Series:
    """One command, undisturbed and killed.

    Where it was killed it is started again in the same place, to be killed again; whenever it ends, what is there must
    be what the undisturbed one made.
    """

    def __init__(self, name, folder, moments):
        self.job, self.folder, self.moments, self.places = JOBS[name], folder, moments, 0
        self.anew()

    def anew(self) -> None:
        # Always of the same name, since some of what is made names it; what was there before is kept for a look.
        folder = self.folder / "place"
        if self.places:
            folder.rename(self.folder / f"earlier{self.places}")
        self.places += 1
        self.place = Place(self.job, folder)

    def undisturbed(self, *, forked: bool) -> Running:
        self.anew()
        running = Running(self.place, forked=forked)
        assert running.end() == 0, self.place.said()
        return running

    def remember(self) -> None:
        self.wanted, self.files = self.job.answer(self.place.folder), self.place.files()
        assert not [file for file in self.files if ".ferbook-" in file or file.endswith(".lock")]

    def check(self) -> None:
        assert "Traceback" not in self.place.said()
        assert self.job.answer(self.place.folder) == self.wanted
        assert self.place.files() == self.files

    def kill(self, times: int, start) -> None:
        """`start(share)` runs the command and kills it after that share of its work, or not, if it ended before."""
        most, tries = 1.0, 0
        for _ in range(times):
            while (status := start(self.moments.uniform(0, most))) != -signal.SIGKILL:
                # Faster than the undisturbed one, since a part was done or the machine less busy.
                assert status == 0 and (tries := tries + 1) < 10, self.place.said()
                most *= 0.7
                self.check()
                self.anew()

    def finish(self, *, forked: bool) -> None:
        assert Running(self.place, forked=forked).end() == 0, self.place.said()
        self.check()


@pytest.mark.parametrize("name", LONG_KILLS if LONG else KILLS)
def test_what_was_killed_goes_on(name, tmp_path_factory):
    changes, forks, starts = (LONG_KILLS if LONG else KILLS)[name]
    folder = tmp_path_factory.mktemp(name)  # a short one: sockets lie there
    series = Series(name, folder, random.Random(f"{name} {os.environ.get('FERBOOK_SEED', '0')}"))
    if changes or forks:
        unbroken = series.undisturbed(forked=True)
        series.remember()
        number = len(series.place.changes()[-1])
        series.anew()
        series.kill(
            changes,
            lambda share: Running(series.place, forked=True, kill_at=1 + int(share * number)).end(),
        )
        series.kill(forks, lambda share: Running(series.place, forked=True).end(kill_after=share * unbroken.seconds))
        series.finish(forked=True)
    if starts:
        whole = series.undisturbed(forked=False)
        series.check() if changes or forks else series.remember()
        series.anew()
        series.kill(starts, lambda share: Running(series.place, forked=False).end(kill_after=share * whole.seconds))
        series.finish(forked=False)
    counted[name] = changes + forks + starts


def test_who_interrupts_a_training_is_told_how_it_goes_on(tmp_path_factory):
    series = Series("train", tmp_path_factory.mktemp("stop"), random.Random(0))
    series.undisturbed(forked=True)
    series.remember()
    changes = series.place.changes()[-1]
    series.anew()
    # At a change in the middle of the work: at a random moment all might be done.
    middle = next(place for place, file in enumerate(changes, start=1) if file.endswith("last.ckpt")) + 3
    assert Running(series.place, forked=True, interrupt_at=middle).end() == 130, series.place.said()
    assert series.place.said().splitlines()[-1] == "ferbook: interrupted; the same command goes on from here."
    series.finish(forked=True)
