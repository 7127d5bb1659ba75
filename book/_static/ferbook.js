/* What the pages do beyond showing text. Without it every page is complete and readable. */
(function () {
  "use strict";

  function target() {
    return location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  }

  /* A link to a verdict inside a fold opens it. */
  function unfold() {
    var wanted = target();
    if (!wanted) return;
    var board = wanted.closest(".ferbook-board");
    if (wanted.hidden && board) board.querySelector("form").reset();
    var folded = wanted.tagName === "DETAILS" && !wanted.open;
    if (folded) wanted.open = true;
    for (var part = wanted.parentElement; part; part = part.parentElement) {
      if (part.tagName === "DETAILS" && !part.open) {
        part.open = true;
        folded = true;
      }
    }
    if (folded) wanted.scrollIntoView();
  }

  /* The scoreboard's filters. They are kept in the address, so that a way back finds them again. */
  function filter(board) {
    var AT_ONCE = 25;
    var FIELDS = ["paper", "verdict", "evidence", "kind"];
    var form = board.querySelector("form");
    var output = form.querySelector("output");
    var folds = Array.from(board.querySelectorAll("details"));
    var rows = Array.from(board.querySelectorAll("tbody tr")).map(function (row) {
      return { row: row, words: row.textContent.toLowerCase() };
    });
    var counts = folds.map(function (fold) {
      var count = fold.querySelector(":scope > summary .fold-count");
      return count && { place: count, text: count.textContent };
    });
    var open = null;  /* which folds the reader had open before the filters opened others */

    function apply() {
      var wanted = new FormData(form);
      var words = wanted.get("words").toLowerCase().split(/\s+/).filter(Boolean);
      var chosen = FIELDS.filter(function (name) { return wanted.get(name); });
      var active = chosen.length + words.length > 0;
      var shown = 0;
      board.classList.toggle("filtered", active);
      rows.forEach(function (entry) {
        var fits = chosen.every(function (name) { return entry.row.dataset[name] === wanted.get(name); })
          && words.every(function (word) { return entry.words.indexOf(word) >= 0; });
        entry.row.hidden = !fits;
        shown += fits ? 1 : 0;
      });
      if (active && !open) open = folds.map(function (fold) { return fold.open; });
      /* What fits is opened from the top while no more than a few lines stand open; the rest says how many it holds. */
      var room = AT_ONCE;
      board.querySelectorAll("table").forEach(function (table) {
        var fit = table.querySelectorAll("tbody tr:not([hidden])").length;
        table.hidden = !fit;
        table.dataset.shown = fit && room > 0 ? "yes" : "no";
        if (fit) room -= fit;
      });
      folds.forEach(function (fold, index) {
        var inside = fold.querySelectorAll("tbody tr").length;
        var fit = fold.querySelectorAll("tbody tr:not([hidden])").length;
        fold.hidden = !fit;
        if (counts[index]) counts[index].place.textContent = active ? fit + " of " + inside : counts[index].text;
        if (active) fold.open = Boolean(fold.querySelector('table[data-shown="yes"]'));
        else if (open) fold.open = open[index];
      });
      if (!active) open = null;
      output.textContent = shown + " of " + rows.length + " listed";
      var kept = new URLSearchParams();
      wanted.forEach(function (value, name) { if (value) kept.set(name, value); });
      try {
        history.replaceState(null, "", location.pathname + (kept.toString() ? "?" + kept : "") + location.hash);
      } catch (error) { /* Some browsers refuse this for files; the filters work all the same. */ }
    }

    new URLSearchParams(location.search).forEach(function (value, name) {
      if (form.elements[name]) form.elements[name].value = value;
    });
    form.addEventListener("input", apply);
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    form.addEventListener("reset", function () { setTimeout(function () { apply(); unfold(); }); });
    form.hidden = false;
    apply();
  }

  /* On paper nothing can be opened: folds are opened for it, and closed again afterwards. */
  var opened = [];

  function unfoldAll() {
    opened = Array.from(document.querySelectorAll("article details:not([open])"));
    opened.forEach(function (fold) { fold.open = true; });
  }

  function foldAgain() {
    opened.forEach(function (fold) { fold.open = false; });
    opened = [];
  }

  /* What is wider than its place scrolls there, and is then reached by keyboard; what fits is no stop on the way. */
  function reach(box) {
    if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }

  function start() {
    var sizes = new ResizeObserver(function (changed) { changed.forEach(function (entry) { reach(entry.target); }); });
    document.querySelectorAll(".ferbook-scroll, .cell_output .output, .cell_output .output pre, .check pre").forEach(function (box) { sizes.observe(box); });
    document.querySelectorAll(".ferbook-board").forEach(filter);
    unfold();
    window.addEventListener("beforeprint", unfoldAll);
    window.addEventListener("afterprint", foldAgain);
    window.addEventListener("hashchange", unfold);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
