"""What the page *In the browser* shows before a script runs: buttons, painted faces, and an empty table of answers."""

import json
from html import escape

import numpy as np
from IPython.display import HTML

from ferbook import datasets
from ferbook.book import browser
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.faceset import FaceSet

#: How many painted faces the page offers, and their side in pixels.
FACES, SIZE = 12, 96
#: From the page, which lies two folders deep, to what the site copies.
STATIC = "../../_static/try"


def painted_faces(count: int = 120, seed: int = 11) -> FaceSet:
    """``FACES`` synthetic colour faces: for each emotion the plainest of `count`, then those that are most mixed."""
    faces = datasets.load("synthetic", count=count, size=SIZE, colour=True, seed=seed, prior=None)
    truth = faces.distribution
    plain = list(dict.fromkeys(int(truth[:, k].argmax()) for k in range(len(EMOTIONS))))
    mixed = [int(row) for row in truth.max(axis=1).argsort(kind="stable") if row not in plain]
    return faces.subset(np.array((plain + mixed)[:FACES]))


def describe(share: np.ndarray) -> str:
    """A mixture (8,) in words: every emotion of at least a tenth, the largest first."""
    order = [k for k in np.argsort(-share, kind="stable") if share[k] >= 0.1]
    return ", ".join(f"{share[k]:.0%} {EMOTIONS[k]}" for k in order)


def widget(faces: FaceSet) -> HTML:
    """The page's form.

    Parameters
    ----------
    faces: to choose from; colour or grey, with their true ``distribution``.
    """
    buttons = "".join(
        f'<li><button type="button" aria-pressed="false" data-name="painted face {row}" '
        f'data-truth="{escape(json.dumps([round(float(share), 4) for share in truth]))}">'
        f'<img src="{browser.png(image)}" width="{SIZE}" height="{SIZE}" '
        f'alt="Painted face number {row}: {escape(describe(truth))}"></button></li>'
        for row, (image, truth) in enumerate(zip(faces.images, faces.distribution, strict=True), 1)
    )
    rows = "".join(
        f'<tr data-part="emotion-{k}"><th scope="row">{emotion}</th>'
        '<td class="try-cell"><span class="try-bar" aria-hidden="true"></span></td>'
        '<td class="try-share"></td><td class="try-lead"></td><td class="try-truth" hidden></td></tr>'
        for k, emotion in enumerate(EMOTIONS)
    )
    scripts = "".join(f'<script defer src="{STATIC}/{name}"></script>' for name in browser.SCRIPTS)
    return HTML(f"""<section id="try-face" class="try-face" aria-label="Try a face" data-emotions="{escape(json.dumps(EMOTIONS))}"
 data-network="{STATIC}/{browser.NETWORK}.js">
<noscript><p class="try-error">This page computes in your browser and needs JavaScript, which is switched off here.
The same network runs in a terminal: see below.</p></noscript>
<div data-part="start" hidden>
<div class="try-sources"><label class="try-file">Choose a picture<input type="file" accept="image/*" data-part="file"></label>
<button type="button" data-part="camera">Use the camera</button> <span>or drop one here, or paste one, or take a painted face:</span></div>
<ul class="try-faces" aria-label="Painted faces">{buttons}</ul>
<div data-part="camera-view" hidden><video data-part="video" muted playsinline aria-label="What the camera sees"></video>
<p><button type="button" data-part="shoot">Take the picture</button> <button type="button" data-part="camera-off">Switch it off</button></p></div>
<p class="try-said" data-part="said" role="status"></p>
<div class="try-work" data-part="work" hidden><div>
<div class="try-stage" data-part="stage" tabindex="0" role="application" aria-label="Square on the picture" aria-describedby="try-keys">
<canvas data-part="canvas" role="img" aria-label="no picture yet"></canvas><div class="try-frame" data-part="frame"><span data-part="corner"></span></div></div>
<p class="try-note" id="try-keys">Draw a square around one face, or drag the square or its corner. Keys: arrows move it, + and − change its size, with Shift in larger steps.</p>
<div class="try-numbers"><label>left <input type="number" min="0" data-part="left"></label>
<label>top <input type="number" min="0" data-part="top"></label><label>side <input type="number" min="1" data-part="side"></label> pixels</div>
<div class="try-seen"><canvas width="{browser.SIDE}" height="{browser.SIDE}" data-part="seen" role="img" aria-label="What the network sees"></canvas>
<span>What the network sees: {browser.SIDE} × {browser.SIDE} grey pixels.</span></div></div>
<div data-part="results" hidden><table class="try-results"><caption>What the network says of this square</caption>
<thead><tr><th scope="col">emotion</th><th scope="col" aria-hidden="true"></th><th scope="col">of a crowd</th><th scope="col">most say so</th>
<th scope="col" data-part="truth-head" hidden>painted</th></tr></thead><tbody>{rows}</tbody></table>
<p class="try-note" data-part="time"></p></div></div>
<p class="try-note" data-part="slow" hidden>This browser has no WebAssembly with vector instructions, so plain JavaScript computes: the same answer, a few times slower.</p>
<p class="try-note" data-part="weight"></p>
</div></section>{scripts}""")
