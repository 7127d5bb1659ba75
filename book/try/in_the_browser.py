# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # In the browser
#
# Give this page a picture with a face. The network that the book trained on {term}`FER+` runs here, on your machine: no picture, and nothing else, leaves
# the page. It also works without a network connection, and when the page is opened as a file.
#
# **Before you use it**: the network says what ten people would *call* a face. It does not say what somebody feels. Take pictures of people who know and
# agree, and judge nobody by the answer.

# %% tags=["remove-input"]
from ferbook.book import browser, browser_page

browser_page.widget(browser_page.painted_faces())

# %% [markdown]
# ## How to read the answer
#
# * **Of a crowd** is the share of people who would name each emotion, as the network learned it from ten votes per face. A face that is 60 % happiness
#   and 40 % surprise is no half-certain answer: it says that people would differ.
# * **Most say so** is another question: how likely is it that this emotion gets more votes than any other? The same scores answer it after division by
#   a *temperature*, one number that was fitted on other faces than those of training and test.
# * **Painted** is the truth, for the painted faces only: the mixture of emotions they were drawn with. The network never saw a painted face, so it is
#   often wrong about them, and about yours where it is framed otherwise than {term}`FER2013`'s.
#
# **Draw the square tightly**: from the middle of the forehead to just below the chin, from ear to ear. FER2013's pictures are cropped like that, and
# what lies around the face is noise to the network. The small grey picture shows what it sees.
#
# ## What runs here
#
# The file [compact-ferplus.onnx](../_static/try/compact-ferplus.onnx) is the network in ONNX (Open Neural Network Exchange), a format that many programs read. The page
# reads it with [a page of JavaScript](../_static/try/engine.js); their one costly step, a product of matrices, is
# [written in WebAssembly](../_static/try/matmul.wat) and uses the vector instructions of your processor. Without WebAssembly plain JavaScript does it.
# The common runtime, onnxruntime-web, would work as well. It is 14 MB of code, for six kinds of layers.
#
# To load in half the time, the page takes most of the weights in half precision, 16 bits each instead of 32. No share moves by a tenth of a percent; a test of
# this book holds it to that.
#
# The same file in Python:

# %%
import numpy as np
from PIL import Image

model = browser.to_onnx("compact-ferplus")
{entry.key: entry.value for entry in model.metadata_props}

# %% [markdown]
# A picture becomes 48 x 48 grey pixels in the same way here and there: grey levels by Pillow's weights, then the square, sampled between the pixels
# and averaged where it shrinks. Transparent pixels count as white.

# %%
painted = browser_page.painted_faces()
face = browser.face_of(Image.fromarray(painted.images[0]), box=(8, 8, 80))
face.shape, face.dtype

# %% [markdown]
# Without Python's own network, the ONNX file is all that is needed; `onnxruntime` or any other program computes the scores. Their mean over the face
# and its mirror image, and then the {term}`softmax`, is what the page shows:

# %%
from ferbook.learning import trained

logits = trained.logits(trained.released("compact-ferplus"), np.stack([face, face]), mirror=True)[0]
dict(zip(browser.EMOTIONS, logits.softmax(0).double().numpy().round(3).tolist(), strict=True))
