"""The card of a photograph: its faces numbered, and for each the answer, its probability, and what it is worth.

Drawn with Pillow: a chart library takes longer for one card than all networks for one photograph.
"""

from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ferbook.faces.emotions import EMOTIONS, VAD_AXES
from ferbook.measures.figures import EMOTION_COLOURS
from ferbook.photos.pictures import Picture
from ferbook.photos.reader import SIDE, Answers, Model, Seen
from ferbook.relevance.heatmaps import limit

WIDTH, MARGIN, PANEL = 900, 20, 232
#: Pixels per pixel of a face that the network saw.
ZOOM = 3
#: The photograph takes at most this height.
TALLEST = 460
#: Faces that a card shows; the table has them all.
MOST = 10
INK, PALE, FAINT, MARK = "#222222", "#666666", "#e8e8e8", "#d55e00"


def draw(
    title: str, picture: Picture, seen: Seen, answers: Answers, model: Model, relevance: np.ndarray | None = None
) -> Image.Image:
    """The card, an RGB picture ``WIDTH`` wide.

    Parameters
    ----------
    title: what the photograph is called.
    picture, seen, answers: the photograph, its faces, and what was said of them.
    model: that said it.
    relevance: (F, 48, 48) for the most probable emotions, which are then shown beside the faces.
    """
    photo, factor = _photo(picture)
    shown = min(len(seen.faces), MOST)
    rest = len(seen.faces) - shown
    foot = 84 if shown else 56
    card = Image.new("RGB", (WIDTH, 52 + photo.height + MARGIN + shown * PANEL + foot + (26 if rest else 0)), "white")
    pen = ImageDraw.Draw(card)
    pen.text((MARGIN, 14), _cut(title, WIDTH - 260, 20), INK, font(20))
    pen.text((WIDTH - MARGIN, 20), model.mark, PALE, font(13), anchor="ra")
    left, top = (WIDTH - photo.width) // 2, 52
    # On the photograph, so that a box that reaches beyond it does not reach into the text.
    for k, box in enumerate(seen.found.boxes[:shown]):
        _box(ImageDraw.Draw(photo), (box + 0.5) * factor, k + 1)
    card.paste(photo, (left, top))
    top += photo.height + MARGIN
    for k in range(shown):
        _panel(card, pen, top, k, seen, answers, model, None if relevance is None else relevance[k])
        top += PANEL
    if rest:
        pen.text((MARGIN, top), f"and {rest} smaller faces, which the table holds", INK, font(15))
        top += 26
    _foot(pen, top, shown, picture, relevance is not None)
    return card


def _photo(picture: Picture) -> tuple[Image.Image, float]:
    """The photograph as large as the card allows, and its pixels per pixel of the original."""
    photo = Image.fromarray(picture.pixels)
    share = min((WIDTH - 2 * MARGIN) / photo.width, TALLEST / photo.height, 8.0)
    size = max(1, round(photo.width * share)), max(1, round(photo.height * share))
    return photo.resize(size, Image.Resampling.BILINEAR), size[0] / picture.size[0]


def _box(pen: ImageDraw.ImageDraw, box: np.ndarray, number: int) -> None:
    x1, y1, x2, y2 = box.tolist()
    pen.rectangle((x1, y1, x2, y2), outline=MARK, width=3)
    x1, y1 = max(x1, 0), max(y1, 0)
    pen.rectangle((x1, y1, x1 + 11 * len(str(number)) + 11, y1 + 23), fill=MARK)
    pen.text((x1 + 6, y1 + 2), str(number), "white", font(16))


def _panel(
    card: Image.Image,
    pen: ImageDraw.ImageDraw,
    top: int,
    k: int,
    seen: Seen,
    answers: Answers,
    model: Model,
    relevance: np.ndarray | None,
) -> None:
    """One face: what the network saw, the emotions, V, A, D, and the note."""
    pen.line((MARGIN, top, WIDTH - MARGIN, top), FAINT)
    probabilities, shares = answers.probabilities[k], answers.shares[k]
    leading = int(probabilities.argmax())
    likely = "over 99%" if probabilities[leading] >= 0.995 else f"{probabilities[leading]:.0%}"
    head = f"{k + 1}   {EMOTIONS[leading]}, {likely} likely to be what most of ten people would say"
    pen.text((MARGIN, top + 9), head, INK, font(17))
    side, at = SIDE * ZOOM, top + 42
    face = Image.fromarray(seen.faces[k]).convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
    card.paste(face, (MARGIN, at))
    left = MARGIN + side + 14
    if relevance is not None:
        card.paste(overlay(seen.faces[k], relevance, side), (left, at))
        left += side + 14
    _bars(pen, left, at, WIDTH - 262 - left, probabilities, shares)
    _vad(pen, WIDTH - 240, at, answers.vad[k], model.readout.rmse)
    said = f"ten people would name about {answers.complexity[k]:.1f} emotions: "
    said += "the crowd would probably disagree" if answers.disagree[k] else "the crowd would mostly agree"
    pen.text((MARGIN, at + side + 14), said, MARK if answers.disagree[k] else PALE, font(14))


def _bars(
    pen: ImageDraw.ImageDraw, left: int, top: int, width: int, probabilities: np.ndarray, shares: np.ndarray
) -> None:
    """Eight bars of probability with their numbers, and a tick where the share of votes lies."""
    start, full = left + 84, width - 84 - 52
    for k, name in enumerate(EMOTIONS):
        y = top + 18 * k
        pen.text((start - 8, y), name, INK, font(13), anchor="ra")
        pen.rectangle((start, y + 2, start + full, y + 14), fill=FAINT)
        pen.rectangle((start, y + 2, start + full * float(probabilities[k]), y + 14), fill=EMOTION_COLOURS[name])
        tick = start + full * float(shares[k])
        pen.line((tick, y, tick, y + 16), INK, 2)
        pen.text((start + full + 46, y), f"{probabilities[k]:.1%}", INK, font(13), anchor="ra")


def _vad(pen: ImageDraw.ImageDraw, left: int, top: int, vad: np.ndarray, rmse: np.ndarray) -> None:
    """Three axes from -1 to 1, the value a dot, its error a line."""
    start, full = left + 10, 210

    def place(value: float) -> float:
        return start + full * (min(max(value, -1.0), 1.0) + 1) / 2

    for k, axis in enumerate(VAD_AXES):
        y, value, error = top + 48 * k, float(vad[k]), float(rmse[k])
        pen.text((start, y), f"{axis} {value:+.2f} ± {error:.2f}", INK, font(13))
        pen.line((start, y + 27, start + full, y + 27), "#bbbbbb", 1)
        pen.line((place(0), y + 22, place(0), y + 32), "#bbbbbb", 1)
        pen.line((place(value - error), y + 27, place(value + error), y + 27), "#0072b2", 3)
        pen.ellipse((place(value) - 5, y + 22, place(value) + 5, y + 32), fill="#0072b2")


def _foot(pen: ImageDraw.ImageDraw, top: int, shown: int, picture: Picture, explained: bool) -> None:
    if shown:
        lines = [
            "Bars: probability that most of ten people name it. Ticks: share of their votes. ±: typical error.",
            "It says what people would call a face, not what somebody feels.",
        ]
        if explained:
            lines[0] += " Red: speaks for it."
    else:
        lines = ["No face was found."]
    if picture.note:
        lines.append(f"Read: {picture.note}.")
    for k, line in enumerate(lines):
        pen.text((MARGIN, top + 8 + 20 * k), line, PALE, font(13))


def overlay(face: np.ndarray, relevance: np.ndarray, side: int) -> Image.Image:
    """Relevance over a faint face: red for, blue against, each as strong as the square root of its share of the end.

    Parameters
    ----------
    face: uint8 (48, 48).
    relevance: (48, 48).
    side: of the result in pixels.
    """
    strength = np.sqrt(np.clip(np.abs(relevance) / limit(relevance), 0, 1))[..., None]
    faint = 0.5 * face[..., None].astype(float) + 110
    colour = np.where(relevance[..., None] > 0, [215.0, 25.0, 28.0], [44.0, 80.0, 200.0])
    mixed = (1 - 0.85 * strength) * faint + 0.85 * strength * colour
    return Image.fromarray(mixed.clip(0, 255).astype(np.uint8)).resize((side, side), Image.Resampling.BICUBIC)


@lru_cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib and has Greek, Cyrillic and more."""
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)


def _cut(text: str, width: int, size: int) -> str:
    """The end of a text that is too long, which of a path says more than its beginning."""
    if font(size).getlength(text) <= width:
        return text
    while text and font(size).getlength(f"…{text}") > width:
        text = text[1:]
    return f"…{text}"
