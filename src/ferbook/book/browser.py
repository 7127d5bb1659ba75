"""A released network outside Python: as an ONNX file, and on a page of the book that runs it on the reader's machine.

The page reads the ONNX file itself (``book/_static/try/engine.js``). onnxruntime-web, the usual way, would bring 14 MB
of WebAssembly from another registry and does not start on a page that is opened as a file; six kinds of layers and one
product of matrices (``matmul.wat``, assembled here) do the same in 30 KB.

Run as ``python -m ferbook.book.browser FOLDER`` the module writes what the page loads.
"""

import base64
import io
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
import wasmtime
from PIL import Image
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ferbook.core import paths
from ferbook.faces.emotions import EMOTIONS
from ferbook.learning import calibration, trained

#: The network that the page runs.
NETWORK = "compact-ferplus"
#: Side of the faces that it takes, in pixels.
SIDE = 48
#: Version of the ONNX operators that are used.
OPSET = 20
#: What the page loads, beside the network.
SCRIPTS: tuple[str, ...] = ("engine.js", "picture.js", "page.js")
#: Constants of the network with more numbers than this travel to the page in half precision.
MANY = 20_000


def to_onnx(name: str = NETWORK, folder: Path | None = None) -> onnx.ModelProto:
    """A released network as an ONNX model: ``faces``, float32 (N, 1, 48, 48) in [0, 1], to ``logits``, (N, 8).

    Batch normalisation is folded into the convolutions. The model's notes (``metadata_props``) say what else belongs to
    the network's answer: ``emotions``, ``mirror`` (take the mean of the logits of a face and of its mirror image),
    ``temperature`` (see :mod:`ferbook.learning.calibration`), ``side`` and ``name``.

    Parameters
    ----------
    name: one of ``trained.RELEASED``.
    folder: of the weights; default ``data/weights``.

    Raises
    ------
    DataError: as :func:`ferbook.learning.trained.released` and :func:`ferbook.learning.calibration.read`.
    """
    network = _folded(trained.released(name, folder)).to(memory_format=torch.contiguous_format)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    program = torch.onnx.export(
        network,
        (torch.zeros(2, 1, SIDE, SIDE),),
        input_names=["faces"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("faces")},),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    model = program.model_proto
    for node in model.graph.node:
        # Where in which file a layer was traced is the building machine's matter, and would be most of the small print.
        del node.metadata_props[:]
    del model.graph.value_info[:], model.graph.metadata_props[:]
    model.doc_string = f"{name}, a network of the book Reading Faces, Re-run; its card is data/weights/{name}.md"
    onnx.helper.set_model_props(
        model,
        {
            "name": name,
            "side": str(SIDE),
            "emotions": json.dumps(EMOTIONS),
            "mirror": json.dumps(trained.config_of(name, folder).mirror),
            "temperature": repr(calibration.of(name, folder).temperature),
        },
    )
    onnx.checker.check_model(model)
    return model


def _folded(network: nn.Module) -> nn.Module:
    """The same function with fewer layers: each batch normalisation goes into the convolution before it."""
    for module in network.modules():
        if isinstance(module, nn.Sequential):
            for place in range(len(module) - 1):
                first, second = module[place], module[place + 1]
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    module[place], module[place + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
    return network


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network to be loaded in half the time: its large constants in half precision, 2 bytes for each number.

    No program that takes ONNX runs it so, since its operators ask for one kind of number: these constants have to be
    turned back to single precision first, as ``engine.js`` does. Rounding them moves a share by less than a thousandth.
    """
    small = onnx.ModelProto()
    small.CopyFrom(model)
    for constant in small.graph.initializer:
        values = onnx.numpy_helper.to_array(constant)
        if values.dtype == np.float32 and values.size > MANY:
            constant.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), constant.name))
    return small


def kernel() -> bytes:
    """The page's product of matrices, as a WebAssembly module."""
    return bytes(wasmtime.wat2wasm((static() / "matmul.wat").read_text(encoding="utf-8")))


def static() -> Path:
    """Where the page's own files lie."""
    return paths.project_root() / "book" / "_static" / "try"


def write(folder: Path, name: str = NETWORK) -> list[Path]:
    """Write ``NAME.onnx``, for any program that reads ONNX, and ``NAME.js``, halved for the page; returns both.

    The script is the network in base64: a browser refuses to read a binary file for a page that was opened as a file.
    """
    model = to_onnx(name)
    content = model.SerializeToString()
    files = {"kernel": kernel(), "onnx": halved(model).SerializeToString()}
    texts = {key: base64.b64encode(value).decode() for key, value in files.items()}
    script = f"window.ferbookNetwork && window.ferbookNetwork({json.dumps(texts)});\n"
    targets = [folder / f"{name}.onnx", folder / f"{name}.js"]
    for target, value in zip(targets, (content, script.encode()), strict=True):
        with paths.replacing(target) as staging:
            staging.write_bytes(value)
    return targets


def face_of(picture: Image.Image, box: Sequence[float]) -> np.ndarray:
    """The face that the page's network sees, uint8 (48, 48): grey, then cropped and averaged down.

    ``picture.js`` takes the same steps in the same order, so that the two agree to the last bit.
    :func:`ferbook.vision.detection.crop` has the same formula in single precision, and rounds a level that falls
    between two whole numbers to the other one now and then; that alone can move a share by two thousandths.

    Parameters
    ----------
    picture: any mode that Pillow turns into grey; transparent pixels lie on white.
    box: left, top and side of the square, in pixels from the picture's corner.
    """
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    levels = np.asarray(picture.convert("L"), dtype=float)
    left, top, side = box
    zoom = side / SIDE
    k = int(np.clip(np.ceil(zoom - 1e-6), 1, 8))
    x0, x1, right = _samples(left, zoom, k, levels.shape[1])
    y0, y1, down = _samples(top, zoom, k, levels.shape[0])
    down = down[:, None]
    upper = (1 - right) * levels[np.ix_(y0, x0)] + right * levels[np.ix_(y0, x1)]
    lower = (1 - right) * levels[np.ix_(y1, x0)] + right * levels[np.ix_(y1, x1)]
    fine = (1 - down) * upper + down * lower
    # One sample after the other, since another order of adding would round otherwise.
    total = sum(fine[i::k, j::k] for i in range(k) for j in range(k))
    return np.rint(total / (k * k)).clip(0, 255).astype(np.uint8)


def _samples(start: float, zoom: float, k: int, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Along one side: the pixels before and after each of 48 k samples, and the weight of the one after."""
    at = np.clip(zoom * ((np.arange(SIDE * k) + 0.5) / k) + start - 0.5, 0, length - 1)
    first = np.floor(at).astype(int)
    return first, np.minimum(first + 1, length - 1), at - first


def png(image: np.ndarray) -> str:
    """A picture, uint8 (H, W) or (H, W, 3), as an address that holds it."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    (folder,) = arguments or sys.argv[1:]
    write(Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
