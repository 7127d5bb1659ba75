"""Two executions of the book compared: verdicts, numbers, words; pictures and timings left out."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from ferbook.book import comparing
from ferbook.claims import report
from ferbook.core.errors import FerbookError


def page(*outputs):
    return new_notebook(cells=[new_code_cell("x", outputs=list(outputs))])


def html(text):
    return new_output("execute_result", {"text/html": text, "text/plain": "<IPython.core.display.HTML object>"})


def told(last, now, **options):
    return comparing.differences(comparing.said(page(*last)), comparing.said(page(*now)), **options)


def box(verdict, number="12.5"):
    return html(
        f'<aside class="verdict" id="claim-002-rare"><p><strong>{verdict}</strong></p><dd>{number} %</dd></aside>'
    )


def test_the_same_is_no_difference():
    assert told([box("holds")], [box("holds")]) == []


def test_another_verdict_is_told_whatever_else():
    assert "verdict on 002-rare: holds -> fails" in told([box("holds")], [box("fails")])
    assert told([box("holds")], [box("fails", "99")], timed=True) == ["verdict on 002-rare: holds -> fails"]
    assert told([box("holds")], [html("nothing")], timed=True) == ["verdict on 002-rare: holds -> none"]


def test_a_row_s_verdict_is_the_one_of_its_claim():
    """As pages show them: boxes and rows of real claims."""
    audit = report.ClaimReport("004")
    ids = [claim for claim in audit._judged if claim.startswith("004-cost-anger")]
    shown = page(html(audit.box("004-same-table1").data), html(audit.rows("004-cost-anger-*", caption="c").data))
    wanted = {claim: str(audit._judged[claim].verdict) for claim in ["004-same-table1", *ids]}
    assert len(ids) > 2 and comparing.said(shown).verdicts == wanted


@pytest.mark.parametrize(
    ("last", "now", "within", "differ"),
    [
        ("accuracy 82.40 %", "accuracy 82.39 %", 0.05, False),
        ("accuracy 82.40 %", "accuracy 82.39 %", 0, True),
        ("accuracy 82.40 %", "accuracy 70.00 %", 0.05, True),
        ("1,234 faces", "1234 faces", 0, False),
        ("1,234 faces", "2,234 faces", 0.05, True),
        ("off by -3e-05", "off by 3e-05", 0.05, True),
        ("off by −0.5", "off by -0.5", 0, False),
        ("0 faces", "1 faces", 0.05, True),
        ("table2 of paper 003", "table3 of paper 003", 0.05, True),
    ],
)
def test_numbers_may_move_a_little(last, now, within, differ):
    found = told([html(last)], [html(now)], within=within)
    assert bool(found) == differ, found


def test_words_are_told_where_they_part():
    (found,) = told([html("a b c d e f <b>holds</b> g")], [html("a b c d e f <b>fails</b> g")])
    assert "“d e f holds g”" in found and "“d e f fails g”" in found
    assert told([html("a")], [html("a"), html("b")]) == ["1 -> 2 outputs"]


def test_pictures_and_warnings_are_left_out_and_prints_are_not():
    picture = new_output("display_data", {"image/png": "aaaa", "text/plain": "<Figure size 1>"})
    other = new_output("display_data", {"image/png": "bbbb", "text/plain": "<Figure size 2>"})
    assert told([picture], [other]) == []
    assert told([new_output("stream", name="stderr", text="a")], [new_output("stream", name="stderr", text="b")]) == []
    assert told([new_output("stream", name="stdout", text="a")], [new_output("stream", name="stdout", text="b")])


def write(folder, **pages):
    for name, made in pages.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(made, path.with_suffix(".ipynb"))
    return folder


def test_two_folders(tmp_path, capsys):
    (timed,) = comparing.TIMED
    timed = timed.replace("/", "__")
    last = write(tmp_path / "last", a__same=page(html("1")), a__gone=page(), **{timed: page(html("1 s"))})
    now = write(tmp_path / "now", a__same=page(html("1")), a__new=page(), **{timed: page(html("9 s"))})
    assert comparing.compared(last, now) == {"a/gone": ["is no longer there"], "a/new": ["is new"]}
    assert comparing.main([str(last), str(last)]) == 0
    assert "are those of the last execution" in capsys.readouterr().out
    assert comparing.main([str(last), str(now)]) == 1
    assert "2 pages differ" in capsys.readouterr().out
    assert comparing.main([str(last), str(tmp_path / "none")]) == 2
    with pytest.raises(FerbookError, match="no executed notebook"):
        comparing.compared(tmp_path / "none", now)


def test_many_differences_of_a_page_are_cut(tmp_path, capsys):
    last = write(tmp_path / "last", a=page(*(html(f"{n} x") for n in range(1, 10))))
    now = write(tmp_path / "now", a=page(*(html(f"{9 * n} x") for n in range(1, 10))))
    comparing.main([str(last), str(now)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == comparing.SHOWN + 1 and "and 4 more" in lines[-2]
