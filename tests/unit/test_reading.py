"""What a reader does with the built book beside reading: print a page, search, take over a citation."""

import pytest

from tests.browsing import HTML, needs_book, needs_chromium

pytestmark = [needs_book, needs_chromium]


@pytest.fixture
def page(chromium):
    opened = chromium.new_context(viewport={"width": 1280, "height": 1000}).new_page()
    yield opened
    opened.context.close()


def test_on_paper_there_is_the_text_alone_with_every_fold_open(page):
    page.goto((HTML / "book/verdicts/how_to_read.html").as_uri())
    closed = page.locator("article details:not([open])").count()
    assert closed > 0
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("article details:not([open])").count() == 0
    for part in (".bd-sidebar-primary", ".bd-sidebar-secondary", ".bd-header-article", ".verdict-cite"):
        shown = page.locator(part)
        assert shown.count() and not shown.first.is_visible(), part
    assert page.locator("aside.verdict").first.is_visible()
    page.emulate_media(media="screen")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("article details:not([open])").count() == closed


def test_links_that_lead_out_of_the_book_are_written_out_on_paper(page):
    page.goto((HTML / "book/verdicts/data_to_take_away.html").as_uri())
    page.emulate_media(media="print")
    said = page.evaluate(
        """() => [...document.querySelectorAll('article a[href^="http"]')].map(
            link => [link.getAttribute('href'), getComputedStyle(link, '::after').content])"""
    )
    assert said
    # What the browser says of attr() is either the text or the name.
    assert all(address in content or "attr(href)" in content for address, content in said)


@pytest.mark.parametrize("words", ["contempt", "consistency loss", "LRP"])
def test_the_search_page_lists_pages(page, words):
    page.goto((HTML / "search.html").as_uri() + "?q=" + words.replace(" ", "+"))
    page.wait_for_selector("#search-results li a", timeout=30_000)
    found = page.locator("#search-results li a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert any("glossary" in link or "faces" in link for link in found)


def test_a_citation_can_be_copied(page):
    page.goto((HTML / "book/verdicts/how_to_read.html").as_uri())
    fold = page.locator("details.verdict-cite").first
    assert not fold.locator("pre").is_visible()
    fold.locator("summary").click()
    assert fold.locator("pre").inner_text().startswith("@misc{ferbook-")
    assert fold.locator("button.copybtn").count() == 1
