"""Pages without Thebe's loader, which asks a server elsewhere."""

from types import SimpleNamespace

from sphinx.application import Sphinx

from ferbook.book import offline


def test_thebe_is_left_out_and_nothing_else():
    kept = SimpleNamespace(filename="_static/ferbook.js", attributes={})
    loader = SimpleNamespace(filename="", attributes={"body": 'const THEBE_JS_URL = "https://elsewhere"'})
    context = {"script_files": [loader, kept, SimpleNamespace(filename="_static/sphinx-thebe.js", attributes={})]}
    offline._without_thebe(None, "page", "page.html", context, None)
    assert context["script_files"] == [kept]


def test_sphinx_takes_the_extension(tmp_path):
    (tmp_path / "index.rst").write_text("Title\n=====\n")
    app = Sphinx(
        tmp_path,
        None,
        tmp_path / "out",
        tmp_path / "trees",
        "html",
        {"extensions": ["ferbook.book.offline"]},
        status=None,
    )
    app.add_js_file(None, body="const THEBE_JS_URL = 1")
    app.build()
    assert "thebe" not in (tmp_path / "out" / "index.html").read_text().lower()
