/* What the pages do beyond showing text. Without it every page is complete and readable. */
(function () {
  "use strict";

  /* A link to a verdict inside a folded output unfolds it. */
  function unfold() {
    var target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    var folded = false;
    for (var part = target.parentElement; part; part = part.parentElement) {
      if (part.tagName === "DETAILS" && !part.open) {
        part.open = true;
        folded = true;
      }
    }
    if (folded) target.scrollIntoView();
  }

  /* The scoreboard's filters. They are kept in the address, so that a way back finds them again. */
  function filter(board) {
    var form = board.querySelector("form");
    var output = form.querySelector("output");
    var groups = [];
    board.querySelectorAll("tbody tr").forEach(function (row) {
      if (row.classList.contains("gt_group_heading_row")) {
        groups.push({ heading: row, paper: row.textContent.trim(), rows: [] });
        return;
      }
      var group = groups[groups.length - 1];
      var cell = function (name) {
        return row.querySelector('td[headers~="scoreboard-' + name + '"]').textContent.trim();
      };
      group.rows.push({
        row: row, paper: group.paper, verdict: cell("verdict"), evidence: cell("evidence"),
        words: row.textContent.toLowerCase(),
      });
    });

    function apply() {
      var wanted = new FormData(form);
      var words = wanted.get("words").toLowerCase().split(/\s+/);
      var shown = 0, total = 0;
      groups.forEach(function (group) {
        var left = 0;
        group.rows.forEach(function (entry) {
          var fits = ["paper", "verdict", "evidence"].every(function (name) {
            return !wanted.get(name) || wanted.get(name) === entry[name];
          }) && words.every(function (word) { return entry.words.indexOf(word) >= 0; });
          entry.row.hidden = !fits;
          left += fits ? 1 : 0;
        });
        group.heading.hidden = !left;
        shown += left;
        total += group.rows.length;
      });
      output.textContent = shown + " of " + total + " claims";
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
    form.addEventListener("reset", function () { setTimeout(apply); });
    form.hidden = false;
    apply();
  }

  function start() {
    document.querySelectorAll(".ferbook-board").forEach(filter);
    unfold();
    window.addEventListener("hashchange", unfold);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
