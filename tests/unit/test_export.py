"""Data to take away: every column is described, nothing is left out, the same checkout gives the same bytes."""

import csv
import io
import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from ferbook.book.export import claims, package, printed_tables, recorded
from ferbook.book.export.tables import Field, Table, from_mappings
from ferbook.claims import verdicts
from ferbook.cli import main
from ferbook.core.errors import DataError, FerbookError, OutputError
from tests.browsing import HTML, ROOT
from tests.unit.claiming import judged_files

RECORDED = ROOT / "data" / "recorded"
#: What the profile "tabular-data-package" allows, as far as it is used here.
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
PARSED = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": {"true": True, "false": False}.__getitem__,
}


@pytest.fixture(scope="module")
def files():
    return package.files(judged_files())


@pytest.fixture(scope="module")
def descriptor(files):
    return json.loads(files[package.DESCRIPTOR])


def rows_of(files, path):
    return list(csv.DictReader(io.StringIO(files[path].decode(), newline="")))


# --- the data dictionary ---


def test_the_descriptor_keeps_the_profile_of_data_packages(files, descriptor):
    assert descriptor["profile"] == "data-package" and NAME.fullmatch(descriptor["name"])
    assert all({"name", "path"} <= set(licence) for licence in descriptor["licenses"])
    names = [resource["name"] for resource in descriptor["resources"]]
    assert len(set(names)) == len(names) and all(map(NAME.fullmatch, names))
    listed = {resource["path"] for resource in descriptor["resources"]}
    assert listed | {package.DESCRIPTOR, package.README} == set(files)
    for resource in descriptor["resources"]:
        path = Path(resource["path"])
        assert not path.is_absolute() and ".." not in path.parts
        assert resource["title"] and resource["description"] and resource["encoding"] == "utf-8"


def test_every_column_is_described_and_every_cell_has_its_type(files, descriptor):
    tables = [resource for resource in descriptor["resources"] if resource["profile"] == "tabular-data-resource"]
    assert len(tables) == len(files) - 3
    for resource in tables:
        fields, rows = resource["schema"]["fields"], rows_of(files, resource["path"])
        header = next(csv.reader(io.StringIO(files[resource["path"]].decode())))
        assert [field["name"] for field in fields] == header and len(set(header)) == len(header)
        for field in fields:
            assert len(field["description"]) >= 5, f"{resource['path']}: {field['name']}"
            parse = PARSED[field["type"]]
            for row in rows:
                if row[field["name"]] != "":
                    parse(row[field["name"]])
        if key := resource["schema"].get("primaryKey"):
            assert len({tuple(row[name] for name in key) for row in rows}) == len(rows), resource["path"]


@pytest.fixture
def transcribed(tmp_path, monkeypatch):
    """A copy of the transcribed tables, to be changed."""
    folder = tmp_path / "tables"
    shutil.copytree(printed_tables.folder(), folder)
    monkeypatch.setattr(printed_tables, "folder", lambda: folder)
    return folder


def test_a_column_without_a_description_is_named(transcribed):
    table = transcribed / "002-table1.csv"
    table.write_text("".join(line + ",new\n" for line in table.read_text().splitlines()))
    with pytest.raises(DataError, match=r"002-columns\.yml: no description for 002-table1: new\. Add it"):
        printed_tables.transcribed()


def test_a_table_without_a_title_is_named(transcribed):
    (transcribed / "002-new.csv").write_text("image\nA\n")
    with pytest.raises(DataError, match="no title for table 002-new"):
        printed_tables.transcribed()


@pytest.mark.parametrize(("content", "said"), [(None, "is missing"), ("titles: [1]", "no dictionary of columns")])
def test_a_broken_dictionary_is_told(transcribed, content, said):
    path = transcribed / "002-columns.yml"
    path.unlink()
    if content:
        path.write_text(content)
    with pytest.raises(DataError, match=said):
        printed_tables.transcribed()


def test_a_ragged_table_is_told_with_its_line(transcribed):
    with (transcribed / "002-table1.csv").open("a") as stream:
        stream.write("one,two,three\n")
    with pytest.raises(DataError, match="line 5: has 3 cells where the header has 2"):
        printed_tables.transcribed()


def test_no_description_is_for_a_table_or_column_that_is_gone():
    tables = {path.stem: printed_tables._read(path)[0] for path in printed_tables.folder().glob("*.csv")}
    for path in printed_tables.folder().glob("*-columns.yml"):
        known = printed_tables.dictionary(path)
        own = {name: header for name, header in tables.items() if name[:3] == path.stem[:3]}
        assert set(known.titles) == set(own)
        assert set(known.columns) <= set(own)
        for name, columns in known.columns.items():
            for column in columns:
                assert any(known.meaning(name, given) == columns[column] for given in own[name]), (name, column)
        for column in known.all:
            assert any(known.meaning(n, g) == known.all[column] for n, header in own.items() for g in header), column


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "", "-2"], "integer"),
        (["1", "2.50"], "number"),
        (["1", "2 %"], "string"),
        (["1e3"], "string"),
        ([""], "string"),
    ],
)
def test_the_type_is_the_narrowest_that_fits(cells, kind):
    assert printed_tables.kind_of(cells) == kind


# --- what is in it ---


def test_every_claim_has_its_verdict(files):
    rows = {row["id"]: row for row in rows_of(files, "claims.csv")}
    assert len(rows) == len(judged_files())
    for result in judged_files():
        row = rows[result.claim.id]
        assert (row["verdict"], row["evidence"]) == (str(result.verdict), str(result.evidence))
        assert (row["printed"], row["says"]) == (result.claim.printed, result.claim.says)
        assert (row["found"] == "") == (result.outcome.value is None)
        assert json.loads(row["arguments"] or "{}") == json.loads(json.dumps(result.claim.arguments))
    counts = verdicts.counted(judged_files())
    for row in rows_of(files, "papers.csv"):
        for verdict in verdicts.Verdict:
            assert int(row[f"claims {verdict}"]) == counts[row["paper"]][verdict]


def test_every_run_and_every_epoch_is_there(files):
    runs = {(row["paper"], row["group"], row["run"]): row for row in rows_of(files, "runs.csv")}
    records = sorted(RECORDED.glob("*/runs/**/*.json"))
    assert len(runs) == len(records)
    epochs = rows_of(files, "epochs.csv")
    assert len(epochs) == sum(len(json.loads(path.read_text())["history"]) for path in records)
    one = json.loads((RECORDED / "002/runs/nhot/ordinary-n3-seed0.json").read_text())
    row = runs["002", "nhot", "ordinary-n3-seed0"]
    assert float(row["test_accuracy"]) == one["metrics"]["test_accuracy"]
    assert float(row["test_kl"]) == one["metrics"]["test"]["kl"]
    assert json.loads(row["config"]) == one["config"]
    cells = [row for row in rows_of(files, "run-confusions.csv") if row["run"] == "ordinary-n3-seed0"]
    assert sum(int(cell["faces"]) for cell in cells if cell["group"] == "nhot") == one["metrics"]["faces"]["test"]


def test_every_value_of_every_other_record_is_there(files):
    found = {(row["record"], row["pointer"]): json.loads(row["value"]) for row in rows_of(files, "records.csv")}
    for path in RECORDED.glob("*/*.json"):
        name = path.relative_to(RECORDED).with_suffix("").as_posix()
        for pointer, value in recorded.leaves(json.loads(path.read_text())):
            assert found.pop((name, pointer)) == value
    assert not found


def test_the_tools_are_compared_as_recorded(files):
    for row in rows_of(files, "peers.csv"):
        values = json.loads((RECORDED / "peers" / f"{row['tool']}.json").read_text())["values"]
        assert float(row["accuracy"]) == values[row["emotions"]]["accuracy"]
        assert float(row["low"]) < float(row["accuracy"]) < float(row["high"])


def test_pointers_tell_strange_keys_apart():
    content = {"a/b": {"~": 1}, "list": [True, {}], "none": None}
    assert list(recorded.leaves(content)) == [("/a~1b/~0", 1), ("/list/0", True), ("/list/1", {}), ("/none", None)]


def test_transcribed_tables_are_as_they_stand(files):
    for path in printed_tables.folder().glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as stream:
            wanted = list(csv.reader(stream))
        assert list(csv.reader(io.StringIO(files[f"printed/{path.name}"].decode(), newline=""))) == wanted


def test_a_measure_that_no_column_describes_is_told(monkeypatch):
    key, result = recorded._runs()[0]
    changed = type(result)(result.config, result.history, result.metrics | {"new_measure": 1}, result.provenance)
    monkeypatch.setattr(recorded, "_runs", lambda: ((key, changed),))
    with pytest.raises(ValueError, match="no column describes new_measure"):
        recorded.runs()


def test_linked_data_has_every_claim_and_explains_its_words(files):
    content = json.loads(files[package.LINKED])
    assert content["@context"]["@vocab"] == "https://schema.org/"
    graph = content["@graph"]
    ids = [entry["@id"] for entry in graph]
    assert len(set(ids)) == len(ids)
    explained = {entry["@id"] for entry in graph if entry["@type"] == "rdf:Property" and entry["rdfs:comment"]}
    reviews = [entry for entry in graph if entry["@type"] == "ClaimReview"]
    assert {entry["@id"].rpartition(":")[2] for entry in reviews} == {r.claim.id for r in judged_files()}
    for entry in reviews:
        assert {word for word in entry if word.startswith("ferbook:")} <= explained
        assert entry["reviewRating"]["alternateName"] in set(verdicts.Verdict)
        source = entry["itemReviewed"].get("appearance") or entry["itemReviewed"]["author"]
        assert source["@id"] in ids


def test_the_readme_lists_every_table_and_word(files):
    text = files[package.README].decode()
    for table in package.tables(judged_files()):
        assert f"`{table.path}`" in text
    assert all(f"`ferbook:{term}`" in text for term in claims.TERMS)


def test_a_row_with_more_than_the_columns_is_refused():
    with pytest.raises(ValueError, match=r"a\.csv: no column describes y"):
        from_mappings("a.csv", "", "", [Field("x", "")], [{"x": 1, "y": 2}])


def test_cells_are_written_plainly():
    table = Table(
        "a/B 1.csv", "", "", [Field("x", ""), Field("y", "")], [[None, True], [0.1, 'a "b", c\n'], [{"k": 1}, 2]]
    )
    assert table.name == "a-b-1"
    assert table.csv() == b'x,y\n,true\n0.1,"a ""b"", c\n"\n"{""k"": 1}",2\n'


# --- writing ---


def test_the_same_checkout_gives_the_same_bytes(files):
    again = package.files(judged_files())
    assert again == files
    assert package.zipped(dict(reversed(again.items()))) == package.zipped(files)
    with zipfile.ZipFile(io.BytesIO(package.zipped(files))) as archive:
        assert {name: archive.read(f"{package.NAME}/{name}") for name in files} == files
        assert len(archive.namelist()) == len(files)


def test_the_zip_is_small(files):
    assert len(package.zipped(files)) < 1_500_000


@pytest.fixture
def quick(files, monkeypatch):
    monkeypatch.setattr(package, "files", lambda: files)
    return files


def test_the_command_writes_a_folder(tmp_path, quick, capsys):
    folder = tmp_path / "some" / "data"
    assert main(["export", str(folder)]) == 0
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == set(quick)
    assert f"wrote {len(quick)} files" in capsys.readouterr().out
    # An empty folder is as good as none.
    (tmp_path / "empty").mkdir()
    assert package.write(tmp_path / "empty") == len(quick)


def test_what_is_there_stays(tmp_path, quick, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["export", str(tmp_path)]) == 2
    assert f"{tmp_path} is there already and not empty; name a new folder" in capsys.readouterr().err
    with pytest.raises(FerbookError, match="is there already"):
        package.write(tmp_path / "mine.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_it_is_there_whole_or_not_at_all(tmp_path, quick, monkeypatch):
    written = Path.write_bytes

    def full(path, data):
        if path.name == "records.csv":
            raise OSError(28, "No space left on device", str(path))
        return written(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left on device"):
        package.write(tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


def test_the_book_offers_it():
    page = HTML / "book" / "verdicts" / "data_to_take_away.html"
    if not page.is_file():
        pytest.skip("the book is not built (make book)")
    (link,) = re.findall(rf'href="([^"]*{package.ZIP})"', page.read_text(encoding="utf-8"))
    with zipfile.ZipFile((page.parent / link).resolve()) as archive:
        assert f"{package.NAME}/{package.DESCRIPTOR}" in archive.namelist()
