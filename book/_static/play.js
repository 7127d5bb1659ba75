/* Figures with sliders. Every state was computed by Python and lies in the page as JSON; this picks one and draws it.
   Without this file, or without JavaScript, a picture stands in each figure's place. */
(function () {
  "use strict";
  if (window.ferbookPlay) return;
  window.ferbookPlay = {};

  var SVG = "http://www.w3.org/2000/svg";

  var LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

  function numbers(packed) {
    return typeof packed === "string" ? packed.split("").map(function (letter) { return LETTERS.indexOf(letter); }) : packed;
  }

  function make(parent, tag, attributes, text) {
    var element = parent.namespaceURI === SVG || tag === "svg"
      ? document.createElementNS(SVG, tag) : document.createElement(tag);
    for (var key in attributes) element.setAttribute(key, attributes[key]);
    if (text !== undefined) element.textContent = text;
    parent.appendChild(element);
    return element;
  }

  /* A figure: its controls with the number of the chosen value, and its parts, each with what shows it. */
  function Figure(root) {
    var spec = JSON.parse(root.querySelector("script[type='application/json']").textContent);
    var live = root.querySelector(".play-live");
    var controls = {};
    var self = this;

    spec.parts.forEach(function (part) {
      part.at = numbers(part.at);
      if (part.alts) part.alts = numbers(part.alts);
      if (part.arrays) part.of.forEach(function (plot) {
        plot.series.forEach(function (series) {
          ["x", "y", "low", "high"].forEach(function (key) { series[key] = part.arrays[series[key]]; });
        });
      });
    });

    function state(part) {
      var place = 0;
      part.over.forEach(function (name) {
        place = place * controls[name].texts.length + controls[name].chosen;
      });
      return place;
    }

    function say(part) { return part.of[part.at[state(part)]]; }

    this.values = function () {
      var found = {};
      spec.parts.forEach(function (part) { if (part.kind === "text") found[part.label] = say(part); });
      return found;
    };

    this.set = function (name, chosen) {
      var control = controls[name];
      control.chosen = Math.max(0, Math.min(control.texts.length - 1, chosen));
      control.input.value = control.chosen;
      if (control.kind === "slider") {
        control.input.setAttribute("aria-valuetext", control.texts[control.chosen]);
        control.said.textContent = control.texts[control.chosen];
      }
      self.show();
    };

    this.show = function () { spec.parts.forEach(function (part) { part.show(); }); };

    /* --- what a reader sets --- */

    function addControl(box, control) {
      /* By its id: a label without one names the first thing in it, which is the output. */
      var id = root.id + "-" + control.name;
      var label = make(box, "label", {"class": "play-control play-" + control.kind, "for": id});
      var words = make(label, "span", {}, control.label);
      controls[control.name] = control;
      control.chosen = control.start;
      if (control.kind === "slider") {
        control.said = make(words, "output", {});
        control.input = make(label, "input", {type: "range", min: 0, max: control.texts.length - 1, step: 1});
      } else {
        control.input = make(label, "select", {});
        control.texts.forEach(function (text, place) { make(control.input, "option", {value: place}, text); });
      }
      control.input.id = id;
      control.input.dataset.control = control.name;
      control.input.addEventListener("input", function () { self.set(control.name, Number(control.input.value)); });
    }

    /* --- what is shown --- */

    function addText(list, part) {
      var row = make(list, "div", {});
      make(row, "dt", {}, part.label);
      var said = make(row, "dd", {"data-text": part.label});
      part.show = function () {
        var words = say(part);
        if (said.textContent !== words) said.textContent = words;
      };
    }

    function addPicture(box, part) {
      var picture = make(box, "div", {"class": "play-picture", role: "img"});
      var rows = Math.ceil(part.count / part.columns);
      picture.style.backgroundImage = "url(" + part.source + ")";
      picture.style.backgroundSize = 100 * part.columns + "% " + 100 * rows + "%";
      part.show = function () {
        var place = state(part), tile = part.at[place];
        var share = function (index, count) { return count > 1 ? 100 * index / (count - 1) + "%" : "0%"; };
        picture.style.backgroundPosition = share(tile % part.columns, part.columns) + " "
          + share(Math.floor(tile / part.columns), rows);
        picture.setAttribute("aria-label", part.of[part.alts[place]]);
        picture.dataset.tile = tile;
      };
    }

    function addChart(box, part) {
      var holder = make(box, "div", {"class": "play-chart"});
      var legend = make(holder, "p", {"class": "play-legend", "aria-hidden": "true"});
      var svg = make(holder, "svg", {role: "img", "aria-label": part.label});
      var dragged = null, across = null;

      function end(place) { return typeof place === "string" ? controls[place].at[controls[place].chosen] : place; }

      part.show = function () {
        var plot = say(part), width = holder.clientWidth;
        if (!width) return;
        var top = 10 + 22 * part.bands.length, height = top + Math.max(190, Math.min(290, 0.55 * width));
        var left = 62, right = width - 14, bottom = height - 46;
        var x = function (value) { return left + (right - left) * (value - plot.xlim[0]) / (plot.xlim[1] - plot.xlim[0]); };
        var y = function (value) { return bottom - (bottom - top) * (value - plot.ylim[0]) / (plot.ylim[1] - plot.ylim[0]); };
        svg.textContent = legend.textContent = "";
        svg.setAttribute("viewBox", "0 0 " + width + " " + height);
        svg.setAttribute("height", height);
        plot.yticks.forEach(function (tick) {
          make(svg, "line", {"class": "play-grid", x1: left, x2: right, y1: y(tick[0]), y2: y(tick[0])});
          make(svg, "text", {x: left - 6, y: y(tick[0]) + 4, "text-anchor": "end"}, tick[1]);
        });
        plot.xticks.forEach(function (tick) {
          make(svg, "text", {x: x(tick[0]), y: bottom + 17, "text-anchor": "middle"}, tick[1]);
        });
        make(svg, "line", {"class": "play-axis", x1: left, x2: right, y1: bottom, y2: bottom});
        make(svg, "text", {x: (left + right) / 2, y: height - 7, "text-anchor": "middle"}, plot.xlabel);
        make(svg, "text", {x: 13, y: (top + bottom) / 2, "text-anchor": "middle",
          transform: "rotate(-90 13 " + (top + bottom) / 2 + ")"}, plot.ylabel);
        part.bands.forEach(function (band, row) {
          var start = x(end(band.start)), stop = x(end(band.end)), at = 2 + 22 * row;
          make(svg, "rect", {"class": "play-band play-" + band.colour, x: start, y: at, width: Math.max(0, stop - start), height: 18});
        });
        plot.series.forEach(function (series) { draw(series, plot, x, y); });
        part.cursors.forEach(function (name) {
          var at = x(end(name));
          make(svg, "line", {"class": "play-cursor", x1: at, x2: at, y1: top - 22 * part.bands.length, y2: bottom});
          make(svg, "circle", {"class": "play-handle", cx: at, cy: bottom, r: 7});
        });
        /* After the lines, so that they do not cross the words; within the plot, however narrow a band is. */
        part.bands.forEach(function (band, row) {
          var middle = Math.max(left + 50, Math.min(right - 50, (x(end(band.start)) + x(end(band.end))) / 2));
          make(svg, "text", {"class": "play-over", x: middle, y: 15 + 22 * row, "text-anchor": "middle"},
            band.text + ": " + self.values()[band.text]);
        });
        across = function (pixel) { return plot.xlim[0] + (pixel - left) / (right - left) * (plot.xlim[1] - plot.xlim[0]); };
      };

      function draw(series, plot, x, y) {
        var look = "play-" + series.colour + (series.dashed ? " play-dashed" : "");
        var points = series.x.map(function (value, k) { return x(value) + "," + y(series.y[k]); });
        if (series.kind === "bars") {
          series.x.forEach(function (value, k) {
            make(svg, "rect", {"class": look, x: x(value) + 0.5, y: y(series.y[k]),
              width: Math.max(0, x(value + series.width) - x(value) - 1), height: y(plot.ylim[0]) - y(series.y[k])});
          });
        } else {
          if (series.kind === "line") make(svg, "polyline", {"class": look + " play-line", points: points.join(" ")});
          if (series.kind === "points" || series.low.length) {
            series.x.forEach(function (value, k) { make(svg, "circle", {"class": look, cx: x(value), cy: y(series.y[k]), r: 4}); });
          }
          series.low.forEach(function (low, k) {
            if (low === null) return;
            make(svg, "line", {"class": look + " play-line", x1: x(series.x[k]), x2: x(series.x[k]), y1: y(low), y2: y(series.high[k])});
          });
        }
        if (!series.name) return;
        var entry = make(legend, "span", {});
        var key = make(entry, "svg", {width: 26, height: 10, "aria-hidden": "true"});
        if (series.kind === "line") make(key, "line", {"class": look + " play-line", x1: 0, x2: 26, y1: 5, y2: 5});
        else make(key, "rect", {"class": look, x: 7, y: 0, width: 12, height: 10});
        entry.appendChild(document.createTextNode(" " + series.name));
      }

      /* The line nearest to the pointer follows it, to the nearest value of its control. */
      function follow(event) {
        var where = across(event.clientX - svg.getBoundingClientRect().left);
        var far = function (name) { return Math.abs(end(name) - where); };
        if (dragged === null) {
          dragged = part.cursors.slice().sort(function (a, b) { return far(a) - far(b); })[0];
        }
        var values = controls[dragged].at, best = 0;
        values.forEach(function (value, k) { if (Math.abs(value - where) < Math.abs(values[best] - where)) best = k; });
        if (best !== controls[dragged].chosen) self.set(dragged, best);
      }

      if (part.cursors.length) {
        svg.classList.add("play-draggable");
        svg.addEventListener("pointerdown", function (event) {
          svg.setPointerCapture(event.pointerId);
          follow(event);
          event.preventDefault();
        });
        svg.addEventListener("pointermove", function (event) { if (dragged !== null) follow(event); });
        ["pointerup", "pointercancel"].forEach(function (kind) {
          svg.addEventListener(kind, function () { dragged = null; });
        });
      }
      if (window.ResizeObserver) new ResizeObserver(function () { part.show(); }).observe(holder);
    }

    var box = make(live, "div", {"class": "play-controls"});
    spec.controls.forEach(function (control) { addControl(box, control); });
    var pictures = make(live, "div", {"class": "play-pictures"});
    spec.parts.forEach(function (part) {
      if (part.kind === "picture") addPicture(pictures, part);
      if (part.kind === "chart") addChart(live, part);
    });
    var list = make(live, "dl", {"class": "play-texts", "aria-live": "polite"});
    spec.parts.forEach(function (part) { if (part.kind === "text") addText(list, part); });

    root.querySelector(".play-still").hidden = true;
    live.hidden = false;
    for (var name in controls) self.set(name, controls[name].start);
    root.dataset.ready = "yes";
  }

  function start() {
    document.querySelectorAll("figure.play:not([data-ready])").forEach(function (root) {
      window.ferbookPlay[root.id.slice("play-".length)] = new Figure(root);
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
