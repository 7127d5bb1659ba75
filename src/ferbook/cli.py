"""``ferbook``: what the book does, from a terminal."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ferbook.errors import FerbookError

if TYPE_CHECKING:
    from ferbook.faceset import FaceSet


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 a check or run erred, 2 the user has something to mend."""
    parser = argparse.ArgumentParser(prog="ferbook", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    data = commands.add_parser("data", help="read a data set and say what was found")
    data.add_argument("name", nargs="?", default="ferplus")
    data.add_argument("--root", help="folder of the data set (default: FERBOOK_DATA, else data/)")
    data.set_defaults(run=_data)

    record = commands.add_parser("record", help="measure on the complete data and write to data/recorded")
    record.add_argument("what", choices=sorted(_RECORDS))
    record.add_argument("--root", help="folder of FER+ (default: FERBOOK_DATA, else data/)")
    record.set_defaults(run=_record)

    train = commands.add_parser("train", help="run a training config, or go on with it")
    train.add_argument("config", type=Path, help="a JSON file; see ferbook.configs.Config")
    train.add_argument("--store", type=Path, help="folder of runs (default: _build/runs)")
    train.set_defaults(run=_train)

    claims = commands.add_parser("claims", help="check the papers' claims against recorded facts")
    claims.add_argument("paper", nargs="*", help="papers, as 000 to 004 (default: all)")
    claims.add_argument("--show", metavar="ID", help="one claim in full")
    claims.set_defaults(run=_claims)

    bench = commands.add_parser("bench", help="measure loading, painting and detecting")
    bench.add_argument("--root", help="folder of FER+; without it, an archive of synthetic faces of the same size")
    bench.set_defaults(run=_bench)

    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except FerbookError as error:
        print(f"ferbook: {error}", file=sys.stderr)
        return 2


def _data(options: argparse.Namespace) -> int:
    from ferbook import datasets
    from ferbook.datasets import ferplus

    faces = datasets.load(options.name, options.root)
    print(f"{faces.name}: {len(faces):,} faces, {faces.provenance['layout']}, checksum {faces.provenance['checksum']}")
    if options.name == "ferplus":
        whole = ferplus.is_official(faces)
        print("the complete public release" if whole else "not the complete public release: numbers will differ")
    return 0


def _record(options: argparse.Namespace) -> int:
    print(f"recorded {_RECORDS[options.what](options.root)}")
    return 0


def _record_labels(root: str | None) -> Path:
    """Facts of FER+'s labels, and the ids of the test sets drawn from it."""
    from ferbook import facts, paths, splits
    from ferbook.labels import clean_votes

    faces = _complete_ferplus(root)
    cleaned = clean_votes(faces.votes)
    ids = faces.ids[cleaned.keep]
    for name, split in facts.paper_splits(cleaned.distribution).items():
        splits.freeze(ids[split.test], paths.project_root() / "data" / "splits" / f"ferplus-{name}.csv")
    return facts.record(faces)


def _record_detection(root: str | None) -> Path:
    from ferbook import finding

    return finding.record(_complete_ferplus(root))


def _record_difficulty(root: str | None) -> Path:
    from ferbook import difficulty

    return difficulty.record()


def _complete_ferplus(root: str | None) -> FaceSet:
    from ferbook import datasets
    from ferbook.datasets import ferplus

    faces = datasets.load("ferplus", root)
    if not ferplus.is_official(faces):
        raise FerbookError("only the complete FER+ release is recorded; this is something else.")
    return faces


_RECORDS: dict[str, Callable[[str | None], Path]] = {
    "labels": _record_labels,
    "detection": _record_detection,
    "difficulty": _record_difficulty,
}


def _train(options: argparse.Namespace) -> int:
    from ferbook import configs, training

    config = configs.read(options.config)
    result = training.train(config, options.store)
    found = result.metrics
    print(
        f"{config.hash}: epoch {found['chosen_epoch']} of {config.epochs}, chosen on {found['chosen_on']}; "
        f"accuracy {found['valid_accuracy']:.2%} (valid), {found['test_accuracy']:.2%} (test)"
    )
    return 0


def _claims(options: argparse.Namespace) -> int:
    from ferbook import claims, facts

    known = facts.recorded()
    results = [
        result
        for paper in options.paper or claims.paper_numbers()
        for result in claims.judge(claims.load_claims(paper).claims, known)
    ]
    if options.show:
        chosen = [result for result in results if result.claim.id == options.show]
        if not chosen:
            raise FerbookError(f"there is no claim {options.show!r}; `ferbook claims` lists them.")
        claim, outcome = chosen[0].claim, chosen[0].outcome
        print(f"{claim.id}: {claim.says}\n  printed  {claim.printed} {claim.unit} ({claim.relation}; {claim.where})")
        print(f"  found    {outcome.value} ({outcome.evidence}{'; ' + outcome.detail if outcome.detail else ''})")
        print(
            f"  verdict  {chosen[0].verdict}\n  decided  {claim.page}"
            + (f"\n  note     {claim.note}" if claim.note else "")
        )
        return 0
    for result in results:
        print(f"{result.claim.id:28} {result.verdict:20} {result.outcome.evidence:12} {result.claim.says}")
    counts = Counter(result.verdict for result in results)
    print(f"{len(results)} claims: " + ", ".join(f"{counts[v]} {v}" for v in claims.Verdict if counts[v]))
    return 0


def _bench(options: argparse.Namespace) -> int:
    from ferbook import bench

    bench.run(options.root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
