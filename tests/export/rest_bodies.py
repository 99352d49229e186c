"""Requests as clients of TensorFlow Serving write them: of texts, and of several inputs."""

import base64
import io
import math
import wave

import numpy as np
from PIL import Image as Picture

TEXTS = [
    "film",
    "a quiet film",
    "LOUD, with no plot",
    "",
    "caf\u00e9 \u5f88\u597d <br /> good music " * 9,
    "nul\x00inside",
]


def b64(content):
    return {"b64": base64.b64encode(content).decode()}


def picture(seed):
    file = io.BytesIO()
    Picture.fromarray(np.random.default_rng(seed).integers(0, 256, (12, 9, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()


def sound(seed):
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, 8000, 0, "NONE", ""))
        writer.writeframes(np.random.default_rng(seed).integers(-9000, 9000, 600).astype("<i2").tobytes())
    return file.getvalue()


COLUMNS = {
    "text": ["a quiet film", "a loud one", None, None],
    "image": [picture(0), None, picture(1), None],
    "audio": [sound(0), sound(1), None, None],
    "tabular": [{"price": 3.5, "unit size": "m"}, {"price": 2}, {"unit size": "s"}, {"price": 1, "unit size": "new"}],
}
NAN = math.nan
ROWS = [
    {"text": "a quiet film", "image_bytes": b64(picture(0)), "audio_bytes": b64(sound(0)), "price": 3.5,
     "unit_size": "m"},
    {"text": "a loud one", "image_bytes": "", "audio_bytes": b64(sound(1)), "price": 2, "unit_size": ""},
    {"text": "", "image_bytes": b64(picture(1)), "audio_bytes": "", "price": NAN, "unit_size": "s"},
    {"text": "", "image_bytes": b64(b""), "audio_bytes": {"b64": ""}, "price": 1, "unit_size": b64(b"new")},
]  # fmt: skip


TEXT_BODIES = {
    "a value a row": {"instances": TEXTS},
    "a dict a row": {"instances": [{"text": text} for text in TEXTS]},
    "a dict a row, base64": {"instances": [{"text": b64(text.encode())} for text in TEXTS]},
    "base64": {"instances": [b64(text.encode()) for text in TEXTS]},
    "named signature": {"signature_name": "serving_default", "instances": TEXTS},
    "a column": {"inputs": TEXTS},
    "a named column": {"inputs": {"text": TEXTS}},
    "a named column, base64": {"inputs": {"text": [b64(text.encode()) for text in TEXTS]}},
}
THING_BODIES = {
    "a dict a row": {"instances": ROWS},
    "columns": {"inputs": {name: [row[name] for row in ROWS] for name in ROWS[0]}},
}
REFUSED = [
    {}, {"instances": []}, {"instances": TEXTS, "inputs": TEXTS}, {"instances": [1]}, {"instances": [{"texts": "a"}]},
    {"instances": ["a", {"text": "a"}]}, {"inputs": {"texts": ["a"]}}, {"instances": ["a"], "signature_name": "other"},
]  # fmt: skip
