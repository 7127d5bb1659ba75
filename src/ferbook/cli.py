"""``ferbook``: what the book does, from a terminal."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ferbook.errors import FerbookError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 a check or run erred, 2 the user has something to mend."""
    parser = argparse.ArgumentParser(prog="ferbook", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    data = commands.add_parser("data", help="read a data set and say what was found")
    data.add_argument("name", nargs="?", default="ferplus")
    data.add_argument("--root", help="folder of the data set (default: FERBOOK_DATA, else data/)")
    data.add_argument("--record", action="store_true", help="write its facts to data/recorded and freeze the test sets")
    data.set_defaults(run=_data)

    claims = commands.add_parser("claims", help="check the papers' claims against recorded facts")
    claims.add_argument("paper", nargs="*", help="papers, as 000 to 004 (default: all)")
    claims.add_argument("--show", metavar="ID", help="one claim in full")
    claims.set_defaults(run=_claims)

    bench = commands.add_parser("bench", help="measure loading times and memory")
    bench.add_argument("--root", help="folder of FER+; without it, an archive of synthetic faces of the same size")
    bench.set_defaults(run=_bench)

    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except FerbookError as error:
        print(f"ferbook: {error}", file=sys.stderr)
        return 2


def _data(options: argparse.Namespace) -> int:
    from ferbook import datasets, dependencies, facts, paths, splits
    from ferbook.datasets import ferplus
    from ferbook.labels import clean_votes

    faces = datasets.load(options.name, options.root)
    print(f"{faces.name}: {len(faces):,} faces, {faces.provenance['layout']}, checksum {faces.provenance['checksum']}")
    if options.name == "ferplus":
        official = ferplus.is_official(faces)
        print("the complete public release" if official else "not the complete public release: numbers will differ")
    if options.record:
        if options.name != "ferplus" or not official:
            raise FerbookError("only the complete FER+ release is recorded; this is something else.")
        library = dependencies.library_hash(dependencies.library_files(Path(facts.__file__)))
        facts.record(faces, facts.recorded_path("labels"), library)
        cleaned = clean_votes(faces.votes)
        ids = faces.ids[cleaned.keep]
        for name, split in facts.paper_splits(cleaned.distribution).items():
            splits.freeze(ids[split.test], paths.project_root() / "data" / "splits" / f"ferplus-{name}.csv")
        print(f"recorded {facts.recorded_path('labels')} and the test sets in data/splits")
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
