/* The page "In the browser": takes a picture from the reader, never sends it, and shows what the network says. */
(function () {
  "use strict";
  var engine = window.ferbookEngine, picture = window.ferbookPicture;
  var root = document.getElementById("try-face");
  if (!root || !engine || !picture) return;
  function part(name) { return root.querySelector('[data-part="' + name + '"]'); }

  var emotions = JSON.parse(root.dataset.emotions), SIDE = 48, LARGEST = 4096;
  var stage = part("stage"), canvas = part("canvas"), frame = part("frame"), seen = part("seen"), said = part("said");
  var shown = null; // { levels, width, height, truth, name }
  var box = null; // { left, top, side } in pixels of the picture
  var network = null, waiting = 0;

  function say(text, isError) {
    said.textContent = text;
    said.classList.toggle("try-error", Boolean(isError));
  }

  /* --- the network: one script beside this one, so that a page opened as a file finds it, too --- */

  window.ferbookNetwork = function (files) {
    var started = performance.now();
    engine.load(engine.decode(files.onnx), engine.decode(files.kernel)).then(function (loaded) {
      network = loaded;
      network.bytes = files.onnx.length * 0.75;
      root.dataset.ready = loaded.vector ? "vector" : "plain";
      part("weight").textContent = weight(performance.now() - started);
      if (!loaded.vector) part("slow").hidden = false;
      if (shown) answer(); else say("Ready. Choose a picture, or one of the painted faces.");
    }).catch(function (error) { say("The network could not be read: " + error.message + ".", true); });
  };

  function megabytes(bytes) { return (bytes / 1e6).toFixed(1) + " MB"; }

  function weight(ms) {
    var total = 0;
    performance.getEntriesByType("navigation").concat(performance.getEntriesByType("resource")).forEach(function (entry) {
      total += entry.decodedBodySize || 0;
    });
    var text = "The network holds " + megabytes(network.bytes) + " and was made ready in " + Math.round(ms) + " ms. ";
    return text + (total > network.bytes ? "The whole page with its fonts and styles is " + megabytes(total) + " before compression." : "");
  }

  function fetchNetwork() {
    var script = document.createElement("script");
    script.src = root.dataset.network;
    script.onerror = function () { say("The network's file is missing: `make book` writes it beside this page.", true); };
    document.head.appendChild(script);
  }

  /* --- pictures --- */

  function show(source, width, height, name, truth) {
    if (!width || !height) { say("The picture is empty.", true); return; }
    var scale = Math.min(1, LARGEST / Math.max(width, height));
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    var pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.fillStyle = "#fff"; // behind what is transparent
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(source, 0, 0, canvas.width, canvas.height);
    var pixels = pen.getImageData(0, 0, canvas.width, canvas.height);
    shown = { levels: picture.grey(pixels.data), width: canvas.width, height: canvas.height, truth: truth || null, name: name };
    canvas.setAttribute("aria-label", name + ", " + canvas.width + " by " + canvas.height + " pixels");
    part("work").hidden = false;
    var side = Math.min(canvas.width, canvas.height);
    place({ left: (canvas.width - side) / 2, top: (canvas.height - side) / 2, side: side });
  }

  function open(address, name, truth, done) {
    var image = new Image();
    image.onload = function () { show(image, image.naturalWidth, image.naturalHeight, name, truth); if (done) done(); };
    image.onerror = function () { say(name + " is no picture that this browser can read.", true); if (done) done(); };
    image.src = address;
  }

  function openFile(file) {
    stopCamera();
    if (!file) { say("There is no picture in what was given.", true); return; }
    choose(null);
    var address = URL.createObjectURL(file);
    open(address, file.name || "the pasted picture", null, function () { URL.revokeObjectURL(address); });
  }

  function pictureOf(list) {
    return Array.prototype.filter.call(list || [], function (file) { return /^image\//.test(file.type); })[0];
  }

  function choose(button) {
    root.querySelectorAll("[data-truth]").forEach(function (other) {
      other.setAttribute("aria-pressed", String(other === button));
    });
  }

  root.querySelectorAll("[data-truth]").forEach(function (button) {
    button.addEventListener("click", function () {
      stopCamera();
      choose(button);
      var image = button.querySelector("img");
      open(image.src, button.dataset.name, JSON.parse(button.dataset.truth));
    });
  });
  part("file").addEventListener("change", function (event) {
    if (event.target.files.length) openFile(event.target.files[0]);
    event.target.value = ""; // so that the same file can be chosen again
  });
  document.addEventListener("paste", function (event) {
    if (/^(input|textarea)$/i.test(event.target.tagName) && event.target.type !== "file") return;
    openFile(pictureOf(event.clipboardData && event.clipboardData.files));
  });
  ["dragenter", "dragover"].forEach(function (kind) {
    root.addEventListener(kind, function (event) { event.preventDefault(); root.classList.add("try-over"); });
  });
  root.addEventListener("dragleave", function (event) {
    if (!root.contains(event.relatedTarget)) root.classList.remove("try-over");
  });
  root.addEventListener("drop", function (event) {
    event.preventDefault();
    root.classList.remove("try-over");
    openFile(pictureOf(event.dataTransfer.files));
  });

  /* --- the camera, only after a click --- */

  var video = part("video"), stream = null;
  function stopCamera() {
    if (stream) stream.getTracks().forEach(function (track) { track.stop(); });
    stream = null;
    video.srcObject = null;
    part("camera-view").hidden = true;
  }
  part("camera").addEventListener("click", function () {
    if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) {
      say("This browser gives no camera to this page; it does so for https and for localhost.", true);
      return;
    }
    navigator.mediaDevices.getUserMedia({ video: true, audio: false }).then(function (given) {
      stopCamera();
      stream = given;
      video.srcObject = given;
      part("camera-view").hidden = false;
      part("shoot").focus();
      say("The camera is on. Its pictures stay on this page.");
      return video.play();
    }).catch(function (error) { say("The camera was not opened (" + error.name + ").", true); });
  });
  part("shoot").addEventListener("click", function () {
    if (!video.videoWidth) { say("The camera has no picture yet.", true); return; }
    choose(null);
    show(video, video.videoWidth, video.videoHeight, "the camera's picture");
    stopCamera();
  });
  part("camera-off").addEventListener("click", function () { stopCamera(); say("The camera is off."); });

  /* --- the box --- */

  var inputs = { left: part("left"), top: part("top"), side: part("side") };
  function within(value, low, high) { return Math.min(Math.max(value, low), high); }

  function place(wanted) {
    var largest = Math.min(shown.width, shown.height), side = Math.round(within(wanted.side, Math.min(16, largest), largest));
    box = {
      side: side,
      left: Math.round(within(wanted.left, 0, shown.width - side)),
      top: Math.round(within(wanted.top, 0, shown.height - side)),
    };
    frame.style.left = 100 * box.left / shown.width + "%";
    frame.style.top = 100 * box.top / shown.height + "%";
    frame.style.width = 100 * box.side / shown.width + "%";
    frame.style.height = 100 * box.side / shown.height + "%";
    inputs.left.max = shown.width - side;
    inputs.top.max = shown.height - side;
    inputs.side.max = largest;
    Object.keys(inputs).forEach(function (name) { inputs[name].value = box[name]; });
    if (!waiting) waiting = requestAnimationFrame(function () { waiting = 0; answer(); });
  }

  Object.keys(inputs).forEach(function (name) {
    inputs[name].addEventListener("change", function () {
      var wanted = { left: box.left, top: box.top, side: box.side };
      if (inputs[name].value !== "") wanted[name] = Number(inputs[name].value);
      place(wanted);
    });
  });

  stage.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    var step = Math.max(1, Math.round(box.side * (event.shiftKey ? 0.1 : 0.02))), b = box;
    var moves = {
      ArrowLeft: [-step, 0, 0], ArrowRight: [step, 0, 0], ArrowUp: [0, -step, 0], ArrowDown: [0, step, 0],
      "+": [-step, -step, 2 * step], "=": [-step, -step, 2 * step], "-": [step, step, -2 * step], _: [step, step, -2 * step],
    };
    var move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    place({ left: b.left + move[0], top: b.top + move[1], side: b.side + move[2] });
  });

  /* Dragging: in the box it moves, at its corner it grows, elsewhere a new one is drawn. */
  var drag = null;
  function at(event) {
    var edges = canvas.getBoundingClientRect();
    return {
      x: (event.clientX - edges.left) / edges.width * shown.width,
      y: (event.clientY - edges.top) / edges.height * shown.height,
    };
  }
  stage.addEventListener("pointerdown", function (event) {
    if (!shown || event.button) return;
    var p = at(event), corner = event.target.dataset.part === "corner";
    var inside = p.x >= box.left && p.x <= box.left + box.side && p.y >= box.top && p.y <= box.top + box.side;
    var whole = box.side === Math.min(shown.width, shown.height); // a full box leaves no room to draw beside it
    if (corner) drag = { kind: "draw", x: box.left, y: box.top };
    else if (inside && !whole) drag = { kind: "move", x: p.x - box.left, y: p.y - box.top };
    else drag = { kind: "draw", x: p.x, y: p.y, first: event };
    stage.setPointerCapture(event.pointerId);
    stage.focus({ preventScroll: true });
    event.preventDefault();
  });
  stage.addEventListener("pointermove", function (event) {
    if (!drag) return;
    var p = at(event);
    if (drag.first && Math.hypot(event.clientX - drag.first.clientX, event.clientY - drag.first.clientY) < 6) return;
    if (drag.kind === "move") { place({ left: p.x - drag.x, top: p.y - drag.y, side: box.side }); return; }
    var side = Math.max(Math.abs(p.x - drag.x), Math.abs(p.y - drag.y));
    side = Math.min(side, p.x < drag.x ? drag.x : shown.width - drag.x, p.y < drag.y ? drag.y : shown.height - drag.y);
    place({ left: p.x < drag.x ? drag.x - side : drag.x, top: p.y < drag.y ? drag.y - side : drag.y, side: side });
  });
  ["pointerup", "pointercancel"].forEach(function (kind) {
    stage.addEventListener(kind, function () { drag = null; });
  });

  /* --- the answer --- */

  function percent(share) { return (100 * share).toFixed(1) + " %"; }

  function preview(face) {
    var pen = seen.getContext("2d"), image = pen.createImageData(SIDE, SIDE);
    for (var i = 0; i < face.length; i++) {
      image.data[4 * i] = image.data[4 * i + 1] = image.data[4 * i + 2] = face[i];
      image.data[4 * i + 3] = 255;
    }
    pen.putImageData(image, 0, 0);
  }

  function answer() {
    var face = picture.cut(shown.levels, shown.width, shown.height, box, SIDE);
    preview(face);
    if (!network) { say("The network is still loading."); return; }
    var started = performance.now(), found = engine.predict(network, [face])[0], ms = performance.now() - started;
    var shares = found.shares;
    root.dataset.shares = JSON.stringify(shares); // full precision
    root.dataset.ms = ms.toFixed(1);
    var truth = shown.truth, order = emotions.map(function (_, k) { return k; });
    part("results").hidden = false;
    part("truth-head").hidden = !truth;
    emotions.forEach(function (emotion, k) {
      var row = part("emotion-" + k);
      row.querySelector(".try-bar").style.width = 100 * shares[k] + "%";
      row.querySelector(".try-share").textContent = percent(shares[k]);
      row.querySelector(".try-lead").textContent = percent(found.leads[k]);
      var cell = row.querySelector(".try-truth");
      cell.hidden = !truth;
      cell.textContent = truth ? percent(truth[k]) : "";
    });
    order.sort(function (a, b) { return shares[b] - shares[a]; });
    var first = order[0], second = order[1];
    say("Of ten people, the network expects about " + (10 * shares[first]).toFixed(0) + " to say " + emotions[first] + " ("
      + percent(shares[first]) + "), and " + emotions[second] + " next (" + percent(shares[second]) + "). That most say "
      + emotions[first] + ": " + percent(found.leads[first]) + ". "
      + (truth ? "It was painted as " + emotions[truth.indexOf(Math.max.apply(null, truth))] + "." : ""));
    part("time").textContent = "Computed on this machine in " + Math.round(ms) + " ms.";
  }

  /* For whoever drives the page by a program: what it says of ready grey faces. */
  window.ferbookTry = {
    predict: function (faces) { return engine.predict(network, faces); },
    cut: function () { return Array.from(picture.cut(shown.levels, shown.width, shown.height, box, SIDE)); },
    place: place,
  };

  part("start").hidden = false;
  say("The network is loading.");
  fetchNetwork();
})();
