"""``ferbook``: what the book does, from a terminal."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ferbook.cli import records
from ferbook.core.errors import BusyError, FerbookError, ended

if TYPE_CHECKING:
    from ferbook.claims.verdicts import Result
    from ferbook.learning.runs import RunResult


#: Names of files that are not read, shown at most.
_SHOWN = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 a check or run erred, 2 the user has something to
    mend, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="ferbook", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    data = commands.add_parser("data", help="read a data set and say what was found")
    data.add_argument("name", nargs="?", default="ferplus")
    data.add_argument("--root", help="folder of the data set (default: FERBOOK_DATA, else data/)")
    data.set_defaults(run=_data)

    pack = commands.add_parser(
        "pack", help="write FER+ as three mosaics with their tables, to carry to another machine"
    )
    pack.add_argument("folder", type=Path, help="a new folder")
    pack.add_argument("--root", help="folder of FER+ (default: FERBOOK_DATA, else data/)")
    pack.set_defaults(run=_pack)

    record = commands.add_parser("record", help="measure on the complete data and write to data/recorded")
    record.add_argument("what", choices=sorted(records.RECORDS))
    record.add_argument("--root", help="folder of FER+ (default: FERBOOK_DATA, else data/)")
    record.set_defaults(run=_record)

    predict = commands.add_parser("predict", help="name the expressions in photographs: a table, and a card for each")
    predict.add_argument("photos", nargs="+", metavar="PHOTO_OR_FOLDER")
    predict.add_argument("--out", required=True, type=Path, help="folder for results.csv, results.jsonl and cards/")
    predict.add_argument("--model", metavar="NAME", default="compact-ferplus", help="a network of data/weights")
    predict.add_argument("--explain", action="store_true", help="show on the cards which pixels speak for the answer")
    predict.add_argument("--overwrite", action="store_true", help="answer again what is answered already")
    predict.set_defaults(run=_predict)

    train = commands.add_parser("train", help="run a training config, or go on with it")
    train.add_argument(
        "config", help="a JSON file, a ferbook.learning.configs.Config or a recorded run; or 002/GROUP/RUN"
    )
    train.add_argument("--store", type=Path, help="folder of runs (default: _build/runs)")
    train.add_argument("--processes", type=int, default=1, help="processes (or GPUs) that share each batch")
    train.set_defaults(run=_train)

    sweep = commands.add_parser("sweep", help="make the runs of a sweep that are not recorded yet")
    sweep.add_argument("file", help="a paper, as 002, for data/sweeps/002.yml; or another description")
    sweep.add_argument("--group", help="only the runs of this group")
    sweep.add_argument("--only", metavar="PATTERN", help="only the runs whose name matches, as 'nhot/*-seed0'")
    sweep.add_argument("--list", action="store_true", help="name the runs that are missing; run nothing")
    sweep.add_argument("--store", type=Path, help="folder of runs (default: _build/runs)")
    sweep.set_defaults(run=_sweep)

    queue = commands.add_parser("queue", help="run the missing records that are worth most, within a budget of seconds")
    queue.add_argument("file", nargs="?", type=Path, help="a description as data/queue.yml, the default")
    queue.add_argument("--budget", type=float, help="seconds; it stops by itself before they are over", required=True)
    queue.add_argument("--dry-run", action="store_true", help="list the runs with expected seconds; run nothing")
    queue.add_argument("--store", type=Path, help="folder of runs (default: _build/runs)")
    queue.set_defaults(run=_queue)

    release = commands.add_parser("release", help="write the weights of a recorded run and their card to data/weights")
    release.add_argument("name", nargs="?", default="compact-ferplus")
    release.add_argument("--store", type=Path, help="folder of runs (default: _build/runs)")
    release.set_defaults(run=_release)

    claims = commands.add_parser("claims", help="check the papers' claims against recorded facts; show one in full")
    claims.add_argument("what", nargs="*", help="papers, as 000 002 (default: all); or: show ID [ID ...]")
    claims.set_defaults(run=_claims)

    export = commands.add_parser("export", help="write all claims, verdicts and results as CSV with a data dictionary")
    export.add_argument("folder", type=Path, help="a new folder")
    export.set_defaults(run=_export)

    new = commands.add_parser("new-paper", help="write the skeleton of a further paper, which passes the tests at once")
    new.add_argument("paper", help="number and name, as 005-resting-faces")
    new.add_argument("--title", help="of its chapter (default: the name)")
    new.add_argument("--figures", type=int, default=0, help="how many figures the paper numbers (default: 0)")
    new.add_argument("--tables", type=int, default=1, help="how many tables it numbers (default: 1)")
    new.add_argument("--sweep", action="store_true", help="also describe training runs, in data/sweeps")
    new.set_defaults(run=_new_paper)

    bench = commands.add_parser("bench", help="measure loading, painting, detecting and training")
    bench.add_argument("--root", help="folder of FER+; without it, an archive of synthetic faces of the same size")
    bench.add_argument(
        "parts", nargs="*", help="loading, rendering, detection, training, relevance, gradients (default: all)"
    )
    bench.set_defaults(run=_bench)

    options = parser.parse_args(arguments)
    try:
        return ended(lambda: options.run(options), failed=2, interrupted=130)
    except BrokenPipeError:
        # Whoever read the output has had enough, as `head` does; nothing can be said to it any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _data(options: argparse.Namespace) -> int:
    from ferbook import datasets
    from ferbook.datasets import ferplus

    faces = datasets.load(options.name, options.root)
    print(f"{faces.name}: {len(faces):,} faces, {faces.provenance['layout']}, checksum {faces.provenance['checksum']}")
    if options.name == "ferplus":
        print(ferplus.release_of(faces))
    unread = datasets.others(options.name, options.root)
    if unread:
        more = f" and {len(unread) - _SHOWN} more" if len(unread) > _SHOWN else ""
        print(f"not read: {len(unread)} other files or folders: {', '.join(unread[:_SHOWN])}{more}")
    return 0


def _pack(options: argparse.Namespace) -> int:
    from ferbook.datasets import ferplus, ferplus_pack

    faces, sizes = ferplus_pack.write(options.folder, options.root)
    print(f"ferplus: {len(faces):,} faces, checksum {faces.provenance['checksum']}, {ferplus.release_of(faces)}")
    for name, size in sizes.items():
        print(f"{size / 2**20:8.2f} MiB  {name}")
    print(
        f"{sum(sizes.values()) / 2**20:8.2f} MiB in all, read back and found the same. Where the folder lies, use it by"
    )
    print(f"FERBOOK_DATA={shlex.quote(str(options.folder))} ferbook queue --budget 540")
    return 0


def _predict(options: argparse.Namespace) -> int:
    """Exit status 1 where not one photograph could be read."""
    from ferbook.photos import folders

    # One thread: the networks are too small to share, and reading and decoding take the other core.
    with _threads(1):
        found = folders.run(
            options.photos,
            options.out,
            model=options.model,
            explain=options.explain,
            overwrite=options.overwrite,
            progress=True,
        )
    done = f", {found.before} of them done before" if found.before else ""
    print(f"{found.photos} photographs{done}, {found.readable} could be read; {found.faces} faces answered now")
    print(f"{options.out / 'results.csv'}, {options.out / 'results.jsonl'}, {options.out / 'cards'}")
    return 0 if found.readable else 1


def _record(options: argparse.Namespace) -> int:
    print(f"recorded {records.record(options.what, options.root)}")
    return 0


def _train(options: argparse.Namespace) -> int:
    from ferbook.learning import sweeps, training

    config, recorded = sweeps.read_config(options.config), sweeps.read_record(options.config)
    # Another number of threads adds up in another order: a repetition takes as many as the record had.
    with _threads(recorded.provenance.get("threads") if recorded else None):
        result = training.train(config, options.store, options.processes)
    found = result.metrics
    by = "the last" if config.choose_on == "last" else f"chosen on {found['chosen_on']}"
    chosen = f"epoch {found['chosen_epoch']} of {config.epochs}, {by}"
    print(f"{config.hash}: {chosen}; {_scores(result)}")
    if recorded is not None:
        different = sweeps.differences(recorded, result)
        print(f"not as recorded: {', '.join(different)}" if different else "metrics and curves as recorded")
    return 0


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """With that many threads for torch; None: as many as there are."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _sweep(options: argparse.Namespace) -> int:
    from ferbook.learning import sweeps

    path = Path(options.file) if options.file.endswith((".yml", ".yaml")) else sweeps.description(options.file)
    missing = {
        name: config
        for name, config in sweeps.chosen(sweeps.runs(path), options.group).items()
        if fnmatchcase(name, options.only or "*")
        and not sweeps.is_recorded(sweeps.record_path(path.stem, name), config)
    }
    if options.list:
        print("\n".join(missing) or "all runs are recorded")
        return 0
    from ferbook.learning import training

    failed, elsewhere, waiting = 0, set(), list(missing)
    while waiting:
        name = waiting.pop(0)
        started = time.perf_counter()
        # What another process trains comes last, when nothing is left but to wait for it.
        train = partial(training.train, store=options.store, wait=name in elsewhere)
        try:
            said = _scores(sweeps.record(sweeps.record_path(path.stem, name), missing[name], train))
        except BusyError as error:
            elsewhere.add(name)
            waiting.append(name)
            said = f"put off: {error}"
        except FerbookError as error:
            failed, said = failed + 1, f"failed: {error}"
        print(f"{name}: {said}; {time.perf_counter() - started:.0f} s, {len(waiting)} remaining", flush=True)
    print(f"{len(missing) - failed} recorded, {failed} failed")
    return 1 if failed else 0


def _queue(options: argparse.Namespace) -> int:
    """Exit status 1 where a run failed; one that waits for the next budget is no failure."""
    from ferbook.learning import queue

    started = time.monotonic()
    waiting = queue.jobs(options.file, options.store)
    untimed = options.file is None and _is_untimed_gpu()
    if options.dry_run:
        spent = 0.0
        if untimed:
            print("first of all, as on a GPU that was not timed yet: ferbook record fourfold-epoch")
        print(f"{'run':44}{'worth':>7}{'epochs':>8}{'seconds':>10}{'in all':>10}")
        for job in waiting:
            spent += job.seconds
            name, epochs = f"{job.paper}/{job.name}", f"{job.begun}/{job.config.epochs}"
            beyond = "" if spent <= options.budget else "  beyond the budget"
            print(f"{name:44}{job.worth:7.2f}{epochs:>8}{job.seconds:10,.0f}{spent:10,.0f}{beyond}")
        print(f"{len(waiting)} runs are not recorded; expected: {spent:,.0f} s of {options.budget:,.0f}")
        return 0
    if untimed:
        from ferbook.book import bench

        try:
            bench.record_fourfold()
        except (FerbookError, RuntimeError) as error:
            print(f"this GPU could not be timed: {str(error).partition(chr(10))[0]}", flush=True)
    left = options.budget - (time.monotonic() - started)
    recorded, failed = queue.run(waiting, left, options.store, partial(print, flush=True))
    print(f"{recorded} recorded, {failed} failed, {len(waiting) - recorded - failed} left")
    return 1 if failed else 0


def _is_untimed_gpu() -> bool:
    """Whether there is a GPU of which it is not recorded how long an epoch takes."""
    from ferbook.core import machine

    if not machine.has_gpu():
        return False
    from ferbook.book import bench

    return machine.kind() not in bench.recorded("fourfold")


def _release(options: argparse.Namespace) -> int:
    from ferbook.learning import trained

    if options.name not in trained.RELEASED:
        raise FerbookError(f"nothing is released as {options.name!r}; there is {', '.join(trained.RELEASED)}.")
    print(f"wrote {trained.release(options.name, options.store)} and its card")
    return 0


def _scores(result: RunResult) -> str:
    """What a run is judged by, on both parts."""
    from ferbook.learning.tasks import TASKS

    score = TASKS[result.config["task"]].score
    found = {part: result.metrics.get(f"{part}_{score}") for part in ("valid", "test")}
    shares = (f"{value:.2%} ({part})" for part, value in found.items() if value is not None)
    return f"{score.replace('_', ' ')} {', '.join(shares)}"


def _claims(options: argparse.Namespace) -> int:
    """Exit status 1 where a check broke; a claim that fails is a finding, not an error."""
    from ferbook.claims import dataset_summary, verdicts

    if options.what[:1] == ["show"]:
        return _show_claims(options.what[1:])
    papers = options.what or verdicts.paper_numbers()
    stated = [claim for paper in papers for claim in verdicts.load_claims(paper).claims]
    results, errors = verdicts.survey(stated, dataset_summary.recorded())
    width = max(map(len, verdicts.Verdict)) + 1
    for result in results:
        print(f"{result.claim.id:34} {result.verdict:{width}}{result.evidence:17} {result.claim.says}")
    for kind, chosen in (("verdict", verdicts.Verdict), ("evidence", (*verdicts.Evidence, verdicts.NO_EVIDENCE))):
        print("\n" + "\n".join(_counts(results, kind, chosen, width)))
    for error in errors:
        print(f"ferbook: {error}", file=sys.stderr)
    claimed = [result for result in results if result.claim.by == "paper"]
    total = Counter(result.verdict for result in claimed)
    said = [f"{total[verdict]} {verdict}" for verdict in verdicts.Verdict if total[verdict]]
    if len(claimed) < len(results):
        said.append(f"{len(results) - len(claimed)} observations of this book")
    if errors:
        said.append(f"{len(errors)} not judged because a check broke")
    print(f"\n{len(claimed)} claims: " + ", ".join(said))
    return 1 if errors else 0


def _counts(results: Sequence[Result], by: str, names: Sequence[str], width: int) -> Iterator[str]:
    """Lines of a table: verdicts or kinds of evidence by paper, then all, statements, and cells of tables."""
    from ferbook.claims import verdicts

    parts = {
        **verdicts.counted(results, by),
        "all": _sum(verdicts.counted(results, by)),
        "statements": _sum(verdicts.counted([r for r in results if not r.claim.cell], by)),
        "cells": _sum(verdicts.counted([r for r in results if r.claim.cell], by)),
    }
    yield f"{by:{width}}" + "".join(f"{part:>{max(6, len(part) + 2)}}" for part in parts)
    for name in names:
        yield f"{name:{width}}" + "".join(f"{found[name]:{max(6, len(part) + 2)}}" for part, found in parts.items())


def _sum(counts: Mapping[str, Counter[str]]) -> Counter[str]:
    return sum(counts.values(), Counter())


def _show_claims(ids: Sequence[str]) -> int:
    from ferbook.claims import dataset_summary, report, verdicts

    if not ids:
        raise FerbookError("name a claim: `ferbook claims show 002-rare`; `ferbook claims` lists them.")
    known = dataset_summary.recorded()
    stated = {claim.id: claim for claim in verdicts.stated()}
    for wanted in ids:
        if wanted not in stated:
            raise FerbookError(f"there is no claim {wanted!r}; `ferbook claims` lists them.")
        (result,) = verdicts.judge([stated[wanted]], known)
        print("\n".join(f"{key:10} {text}" for key, text in report.account(result).items() if text))
    return 0


def _new_paper(options: argparse.Namespace) -> int:
    from ferbook.book import new_paper

    paper = new_paper.Paper.named(options.paper, options.title, options.figures, options.tables)
    for path in new_paper.write(paper, sweep=options.sweep):
        print(path)
    print(f"`ferbook claims {paper.number}` judges its two example claims. CONTRIBUTING.md says how to go on.")
    return 0


def _export(options: argparse.Namespace) -> int:
    from ferbook.book.export import package

    count = package.write(options.folder)
    print(f"wrote {count} files; {options.folder / package.DESCRIPTOR} says what each column means")
    return 0


def _bench(options: argparse.Namespace) -> int:
    from ferbook.book import bench

    bench.run(options.root, options.parts)
    return 0
