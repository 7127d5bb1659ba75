"""The network outside Python: the ONNX file, and the page that runs it, driven in a real browser.

The page is tested where the book is built (``make test`` does) and a Chromium is installed.
"""

from __future__ import annotations

import io
import json
import threading
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import wasmtime
from PIL import Image

from ferbook import datasets
from ferbook.book import browser, browser_page
from ferbook.faces.emotions import EMOTIONS
from ferbook.learning import calibration, trained
from ferbook.vision import detection
from tests.browsing import HTML, ROOT, needs_chromium

PAGE = "book/try/in_the_browser.html"
TEMPERATURE = calibration.of(browser.NETWORK).temperature

in_a_browser = [
    needs_chromium,
    pytest.mark.skipif(not (HTML / PAGE).is_file(), reason="the book is not built (make book)"),
]


@cache
def model():
    return browser.to_onnx()


def python_says(faces):
    """Shares (N, 8) of grey faces, by the library."""
    logits = trained.logits(trained.released(browser.NETWORK), faces, mirror=True)
    return logits.double().softmax(1).numpy()


# --- the file ---


def test_onnx_gives_the_logits_of_the_network():
    faces = datasets.load("synthetic", count=200).images
    session = onnxruntime.InferenceSession(model().SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"faces": faces[:, None].astype(np.float32) / 255})
    wanted = trained.logits(trained.released(browser.NETWORK), faces, mirror=False).numpy()
    assert found.shape == (200, 8)
    assert np.abs(found - wanted).max() < 1e-4


def test_onnx_says_what_belongs_to_the_answer_and_nothing_of_the_machine():
    notes = {entry.key: entry.value for entry in model().metadata_props}
    assert json.loads(notes["emotions"]) == list(EMOTIONS)
    assert json.loads(notes["mirror"]) is trained.config_of(browser.NETWORK).mirror
    assert float(notes["temperature"]) == TEMPERATURE
    assert notes["side"] == "48" and notes["name"] == browser.NETWORK
    assert {node.op_type for node in model().graph.node} <= {"Conv", "Relu", "Add", "AveragePool", "ReduceMean", "Gemm"}
    assert str(ROOT).encode() not in model().SerializeToString() and b"site-packages" not in model().SerializeToString()


def test_halving_the_file_moves_no_share_by_a_thousandth():
    small = browser.halved(model())
    assert len(small.SerializeToString()) < 0.55 * len(model().SerializeToString())
    for constant in small.graph.initializer:
        values = onnx.numpy_helper.to_array(constant)
        if values.dtype == np.float16:
            constant.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float32), constant.name))
    faces = datasets.load("synthetic", count=200).images
    noise = np.random.default_rng(0).integers(0, 256, (40, 48, 48), dtype=np.uint8)
    pixels = np.concatenate([faces, noise])[:, None].astype(np.float32) / 255
    shares = []
    for each in (small, model()):
        session = onnxruntime.InferenceSession(each.SerializeToString(), providers=["CPUExecutionProvider"])
        logits = torch.tensor(session.run(None, {"faces": pixels})[0])
        shares.append(torch.stack([logits.softmax(1), (logits / TEMPERATURE).softmax(1)]))
    assert (shares[0] - shares[1]).abs().max() < 1e-3


def test_two_exports_are_the_same_to_the_last_byte():
    assert browser.to_onnx().SerializeToString(deterministic=True) == model().SerializeToString(deterministic=True)


def test_the_kernel_multiplies_matrices():
    rng = np.random.default_rng(0)
    rows, inner, columns = 8, 13, 24
    weights, values = rng.normal(size=(rows, inner)), rng.normal(size=(inner, columns))
    bias = rng.normal(size=rows)
    store = wasmtime.Store()
    memory = wasmtime.Memory(store, wasmtime.MemoryType(wasmtime.Limits(1, None)))
    instance = wasmtime.Instance(store, wasmtime.Module(store.engine, browser.kernel()), [memory])
    places, at = [], 64
    for array in (weights, values, bias):
        places.append(at)
        memory.write(store, array.astype(np.float32).tobytes(), at)
        at += array.size * 4
    instance.exports(store)["matmul"](store, *places, at, rows, inner, columns)
    found = np.frombuffer(memory.read(store, at, at + rows * columns * 4), np.float32).reshape(rows, columns)
    assert np.abs(found - (weights @ values + bias[:, None])).max() < 1e-5


# --- pictures ---


def test_a_face_is_cut_as_drawn():
    levels = np.zeros((100, 140), np.uint8)
    levels[20:68, 30:78] = np.random.default_rng(0).integers(0, 256, (48, 48))
    assert np.array_equal(browser.face_of(Image.fromarray(levels), (30, 20, 48)), levels[20:68, 30:78])


def test_a_face_is_cut_as_the_detector_cuts_it():
    """Up to the rounding of levels that lie between two whole numbers."""
    picture = photograph()
    for left, top, side in ((60, 40, 160), (75, 60, 101), (101, 83, 47), (300, 200, 20)):
        square = np.array([[left, top, left + side, top + side]]) - 0.5  # whose first pixel's centre is at 0
        wanted = detection.crop(np.asarray(picture.convert("L"))[None], square, margin=0, size=48)[0]
        found = browser.face_of(picture, (left, top, side)).astype(int)
        assert np.abs(found - wanted).max() <= 1 and (found != wanted).mean() < 0.01


def test_a_shrunken_face_is_averaged_and_transparency_is_white():
    fine = np.kron(np.random.default_rng(1).integers(0, 256, (48, 48)), np.ones((4, 4))).astype(np.uint8)
    assert np.array_equal(browser.face_of(Image.fromarray(fine), (0, 0, 192)), fine[::4, ::4])
    assert (browser.face_of(Image.new("RGBA", (60, 60), (0, 0, 0, 0)), (0, 0, 60)) == 255).all()


def test_the_painted_faces_show_every_emotion_and_are_described():
    faces = browser_page.painted_faces()
    assert len(faces) == browser_page.FACES
    assert set(faces.distribution.argmax(1)) == set(range(len(EMOTIONS)))
    said = browser_page.describe(np.array([0.25, 0.65, 0.1, 0, 0, 0, 0, 0]))
    assert said == "65% happiness, 25% neutral, 10% surprise"
    html = browser_page.widget(faces).data
    assert html.count("data-truth=") == len(faces) and "<noscript>" in html


# --- the page ---


@pytest.fixture(scope="module")
def site():
    """The built site as `python -m http.server` serves it; its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=HTML))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(chromium, site):
    """The page, ready; at the end: it said nothing in the console and asked only the site."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1200})
    opened = context.new_page()
    opened.said, opened.asked = [], []
    opened.on("console", lambda message: opened.said.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: opened.said.append(str(error)))
    opened.on("request", lambda request: opened.asked.append(request.url))
    opened.goto(site + PAGE)
    opened.wait_for_selector("#try-face[data-ready]", timeout=60_000)
    yield opened
    context.close()
    assert opened.said == []
    elsewhere = [url for url in opened.asked if not url.startswith((site, "data:", "blob:" + site))]
    assert elsewhere == []


def give(page, picture):
    """Choose a picture as a file, and wait for the answer."""
    stream = io.BytesIO()
    picture.save(stream, format="PNG")
    page.evaluate("delete document.getElementById('try-face').dataset.shares")
    page.set_input_files(
        "[data-part=file]", {"name": "given.png", "mimeType": "image/png", "buffer": stream.getvalue()}
    )
    return answer(page)


def answer(page):
    page.wait_for_selector("#try-face[data-shares]")
    return np.array(json.loads(page.get_attribute("#try-face", "data-shares")))


def photograph(seed=0, size=(320, 240)):
    """A colour picture of smooth noise with a painted face in it."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    picture = coarse.resize(size, Image.Resampling.BICUBIC)
    face = datasets.load("synthetic", count=10, size=160, colour=True, seed=seed).images[seed % 10]
    picture.paste(Image.fromarray(face), (60, 40))
    return picture


@pytest.mark.usefixtures("page")
class TestPage:
    pytestmark = in_a_browser

    def test_webassembly_and_python_say_the_same(self, page):
        assert page.get_attribute("#try-face", "data-ready") == "vector"
        faces = np.concatenate(
            [
                datasets.load("synthetic", count=40).images,
                np.random.default_rng(3).integers(0, 256, (4, 48, 48), dtype=np.uint8),
                np.zeros((1, 48, 48), np.uint8),
            ]
        )
        found = page.evaluate(
            "faces => ferbookTry.predict(faces.map(f => Uint8Array.from(f)))", faces.reshape(len(faces), -1).tolist()
        )
        assert np.abs(np.array([entry["shares"] for entry in found]) - python_says(faces)).max() < 1e-3
        leads = torch.tensor(np.log(python_says(faces)) / TEMPERATURE).softmax(1).numpy()
        assert np.abs(np.array([entry["leads"] for entry in found]) - leads).max() < 1e-3

    def test_a_picture_goes_through_the_same_steps_as_in_python(self, page):
        for seed, (left, top, side) in enumerate(
            [(60, 40, 160), (75, 60, 100), (101, 83, 47), (0, 0, 240), (300, 200, 20)]
        ):
            picture = photograph(seed)
            give(page, picture)
            page.evaluate("box => ferbookTry.place(box)", {"left": left, "top": top, "side": side})
            page.wait_for_timeout(300)
            wanted = browser.face_of(picture, (left, top, side))
            cut = np.array(page.evaluate("ferbookTry.cut()")).reshape(48, 48)
            assert np.array_equal(cut, wanted)
            assert np.abs(answer(page) - python_says(wanted[None])[0]).max() < 1e-3

    def test_a_transparent_picture_lies_on_white_and_a_large_one_is_taken(self, page):
        clear = Image.new("RGBA", (80, 60), (0, 0, 0, 0))
        assert np.abs(give(page, clear) - python_says(np.full((1, 48, 48), 255, np.uint8))[0]).max() < 1e-3
        give(page, Image.new("RGB", (5000, 3000), "grey"))
        assert page.evaluate("document.querySelector('[data-part=canvas]').width") == 4096

    def test_an_answer_takes_less_than_150_ms(self, page):
        page.click("[data-truth] >> nth=0")
        answer(page)
        times = page.evaluate(
            """() => Array.from({length: 15}, () => {
                const start = performance.now();
                ferbookTry.predict([new Uint8Array(48 * 48).fill(90)]);
                return performance.now() - start;
            })"""
        )
        # The best of some: what else the machine does is no matter of the page.
        assert min(times) < 150

    def test_nothing_is_asked_for_once_the_page_is_there(self, page):
        page.wait_for_load_state("networkidle")
        before = len(page.asked)
        page.click("[data-truth] >> nth=3")
        answer(page)
        give(page, photograph())
        page.keyboard.press("ArrowLeft")
        assert not [url for url in page.asked[before:] if not url.startswith(("data:", "blob:"))]

    def test_a_painted_face_is_shown_with_its_truth(self, page):
        page.click("[data-truth] >> nth=1")
        found = answer(page)
        rows = page.locator(".try-results tbody tr")
        assert rows.count() == 8
        for k, emotion in enumerate(EMOTIONS):
            row = rows.nth(k)
            assert row.locator("th").inner_text() == emotion
            assert row.locator(".try-share").inner_text() == f"{100 * found[k]:.1f} %"
            assert row.locator(".try-truth").inner_text().endswith("%")
        assert page.get_attribute("[data-truth] >> nth=1", "aria-pressed") == "true"
        assert EMOTIONS[int(found.argmax())] in page.locator("[role=status]").inner_text()
        give(page, photograph())
        assert page.locator(".try-truth").first.is_hidden()

    def test_the_square_is_drawn_with_the_mouse(self, page):
        give(page, photograph())
        whole = page.locator("[data-part=canvas]").bounding_box()
        scale = whole["width"] / 320
        page.mouse.move(whole["x"] + 20 * scale, whole["y"] + 30 * scale)
        page.mouse.down()
        page.mouse.move(whole["x"] + 120 * scale, whole["y"] + 110 * scale, steps=4)
        page.mouse.up()
        box = {name: float(page.input_value(f"[data-part={name}]")) for name in ("left", "top", "side")}
        # The first click moved the box that was there, or drew a new one where it was outside.
        assert box == pytest.approx({"left": 20, "top": 30, "side": 100}, abs=2)

    def test_the_square_obeys_keys_and_numbers(self, page):
        give(page, photograph())
        page.fill("[data-part=side]", "100")
        page.press("[data-part=side]", "Enter")
        page.fill("[data-part=left]", "50")
        page.press("[data-part=left]", "Tab")
        page.focus("[data-part=stage]")
        page.keyboard.press("ArrowRight")
        assert page.input_value("[data-part=left]") == "52"
        page.keyboard.press("Shift+ArrowDown")
        assert page.input_value("[data-part=top]") == "10"
        page.keyboard.press("-")
        assert page.input_value("[data-part=side]") == "96"
        page.fill("[data-part=left]", "9999")
        page.press("[data-part=left]", "Enter")
        assert page.input_value("[data-part=left]") == "224"

    def test_the_keyboard_reaches_everything(self, page):
        give(page, photograph())
        page.focus("[data-part=file]")
        reached = set()
        for _ in range(24):
            reached.add(page.evaluate("document.activeElement.dataset.part || document.activeElement.dataset.name"))
            page.keyboard.press("Tab")
        assert {"file", "camera", "painted face 1", "painted face 12", "stage", "left", "top", "side"} <= reached

    def test_what_is_no_picture_is_answered_plainly(self, page):
        page.set_input_files(
            "[data-part=file]", {"name": "letter.txt", "mimeType": "text/plain", "buffer": b"not a picture"}
        )
        page.wait_for_selector(".try-error")
        assert "letter.txt is no picture" in page.locator("[role=status]").inner_text()

    def test_a_picture_can_be_pasted_and_dropped(self, page):
        for kind, field in (("paste", "clipboardData"), ("drop", "dataTransfer")):
            page.evaluate("delete document.getElementById('try-face').dataset.shares")
            page.evaluate(
                """async ([kind, field]) => {
                const canvas = Object.assign(document.createElement("canvas"), {width: 64, height: 64});
                canvas.getContext("2d").fillRect(0, 0, 64, 64);
                const blob = await new Promise(done => canvas.toBlob(done));
                const transfer = new DataTransfer();
                transfer.items.add(new File([blob], "a.png", {type: "image/png"}));
                const Kind = kind === "paste" ? ClipboardEvent : DragEvent;
                const event = new Kind(kind, {bubbles: true, [field]: transfer});
                (kind === "paste" ? document : document.getElementById("try-face")).dispatchEvent(event);
                }""",
                [kind, field],
            )
            assert np.abs(answer(page) - python_says(np.zeros((1, 48, 48), np.uint8))[0]).max() < 1e-3

    def test_the_camera_is_off_until_it_is_asked_for(self, page):
        assert page.evaluate("document.querySelector('[data-part=video]').srcObject") is None
        page.click("[data-part=camera]")
        page.wait_for_function("document.querySelector('[data-part=video]').videoWidth > 0")
        page.click("[data-part=shoot]")
        assert answer(page).sum() == pytest.approx(1)
        assert page.evaluate("document.querySelector('[data-part=video]').srcObject") is None

    def test_it_fits_a_telephone(self, page):
        page.set_viewport_size({"width": 400, "height": 900})
        give(page, photograph())
        assert page.evaluate("document.getElementById('try-face').scrollWidth <= document.documentElement.clientWidth")


class TestElsewhere:
    pytestmark = in_a_browser

    def test_without_webassembly_it_computes_the_same(self, chromium, site):
        context = chromium.new_context()
        context.add_init_script("delete window.WebAssembly")
        page = context.new_page()
        page.goto(site + PAGE)
        page.wait_for_selector("#try-face[data-ready=plain]", timeout=60_000)
        assert page.locator("[data-part=slow]").is_visible()
        face = datasets.load("synthetic", count=10).images[:1]
        found = page.evaluate("f => ferbookTry.predict([Uint8Array.from(f)])", face.ravel().tolist())
        assert np.abs(np.array(found[0]["shares"]) - python_says(face)[0]).max() < 1e-3
        context.close()

    def test_without_javascript_it_says_so(self, chromium, site):
        context = chromium.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(site + PAGE)
        assert "needs JavaScript" in page.locator("#try-face noscript").inner_text()
        assert page.locator("[data-part=start]").is_hidden()
        context.close()

    def test_it_works_when_the_page_is_opened_as_a_file(self, chromium):
        context = chromium.new_context()
        page = context.new_page()
        page.goto((HTML / PAGE).as_uri())
        page.wait_for_selector("#try-face[data-ready]", timeout=60_000)
        page.click("[data-truth] >> nth=0")
        assert answer(page).sum() == pytest.approx(1)
        context.close()
