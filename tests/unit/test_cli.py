from __future__ import annotations

import pytest

from ferbook.cli import main


def test_data_says_what_was_found(tiny, capsys):
    assert main(["data", "ferplus", "--root", str(tiny.write_archives())]) == 0
    assert "8 faces, archives" in (text := capsys.readouterr().out)
    assert "not the complete public release" in text


def test_only_the_complete_release_is_recorded(tiny, capsys):
    assert main(["record", "labels", "--root", str(tiny.write_archives())]) == 2
    assert "only the complete FER+ release is recorded" in capsys.readouterr().err


def test_errors_are_one_line_without_a_traceback(tmp_path, capsys):
    assert main(["data", "ferplus", "--root", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("ferbook: ")
    assert error.count("\n") == 1


def test_claims_count_verdicts(capsys):
    assert main(["claims", "002"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split(" claims: ")[0].isdigit()


def test_one_claim_in_full(capsys):
    assert main(["claims", "--show", "002-clean-a"]) == 0
    assert "verdict  holds" in capsys.readouterr().out
    assert main(["claims", "--show", "002-none"]) == 2


def test_a_command_is_needed():
    with pytest.raises(SystemExit):
        main([])
