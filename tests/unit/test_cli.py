from importlib import import_module

import pytest

from ferbook.claims import dataset_summary, verdicts
from ferbook.cli import records
from ferbook.cli.commands import main


def test_data_says_what_was_found(tiny, capsys):
    assert main(["data", "ferplus", "--root", str(tiny.write_archives())]) == 0
    assert "8 faces, archives" in (text := capsys.readouterr().out)
    assert "not the complete public release" in text


def test_only_the_complete_release_is_recorded(tiny, capsys):
    assert main(["record", "labels", "--root", str(tiny.write_archives())]) == 2
    assert "only the complete FER+ release is recorded" in capsys.readouterr().err


def test_every_record_names_functions_that_there_are():
    for functions in records.RECORDS.values():
        for module, _, name in (function.partition(":") for function in functions):
            assert callable(getattr(import_module(f"ferbook.{module}"), name))


def test_errors_are_one_line_without_a_traceback(tmp_path, capsys):
    assert main(["data", "ferplus", "--root", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("ferbook: ")
    assert error.count("\n") == 1


def test_claims_count_verdicts(capsys):
    main(["claims", "002"])
    lines = capsys.readouterr().out.splitlines()
    results, _ = verdicts.survey(verdicts.load_claims("002").claims, dataset_summary.recorded())
    claimed = [result for result in results if result.claim.by == "paper"]
    assert lines[-1].startswith(f"{len(claimed)} claims: ")
    assert [line.split()[0] for line in lines[: len(results)]] == [result.claim.id for result in results]
    heads = [line.split()[1:] for line in lines if line.startswith(("verdict ", "evidence "))]
    assert heads == [["002", "all", "statements", "cells"]] * 2
    table = {line.rsplit(maxsplit=4)[0]: list(map(int, line.split()[-4:])) for line in lines if line[-1:].isdigit()}
    for by, kinds in (("verdict", verdicts.Verdict), ("evidence", (*verdicts.Evidence, verdicts.NO_EVIDENCE))):
        assert sum(table[kind][1] for kind in kinds) == len(claimed)
        for kind in kinds:
            here, every, statements, cells = table[kind]
            assert here == every == statements + cells, "one paper is all papers"
            assert cells == sum(getattr(result, by) == kind and result.claim.cell for result in claimed)


def test_observations_of_the_book_are_said_and_not_counted(capsys, monkeypatch):
    stated = verdicts.load_claims("002")
    own = tuple(one.model_copy(update={"by": "book"}) for one in stated.claims if one.kind == "measured")
    monkeypatch.setattr(verdicts, "load_claims", lambda paper: stated.model_copy(update={"claims": own}))
    assert main(["claims", "002"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"0 claims: {len(own)} observations of this book"


def test_one_claim_in_full(capsys):
    assert main(["claims", "show", "002-rare"]) == 0
    text = capsys.readouterr().out
    shown = {line[:10].strip(): line[11:] for line in text.splitlines()}
    assert shown["verdict"] == "holds"
    assert shown["evidence"] == "same data"
    assert shown["printed"].startswith("at most 10 %")
    assert shown["found"].startswith("7.06505")
    assert shown["decided"].startswith("book/faces/ferplus_in_numbers#claim-002-rare")
    assert "fact: share_rare" in shown["arguments"]
    assert shown["check"].startswith("fact: ")
    assert {"says", "where", "code", "tolerance"} <= set(shown)
    assert main(["claims", "show", "002-none"]) == 2
    assert main(["claims", "show"]) == 2


def test_a_check_that_breaks_is_an_error_and_a_claim_that_fails_is_none(capsys, monkeypatch):
    main(["claims", "003"])
    assert " fails " in capsys.readouterr().out
    known = dict(verdicts.known_checks())

    def broken(claim, facts):
        raise ValueError("no number")

    monkeypatch.setattr(verdicts, "known_checks", lambda: known | {"implied decrease": broken})
    assert main(["claims", "003"]) == 1
    captured = capsys.readouterr()
    assert "check 'implied decrease' could not be run" in captured.err
    assert "not judged because a check broke" in captured.out.splitlines()[-1]


def test_a_command_is_needed():
    with pytest.raises(SystemExit):
        main([])
