"""What the page's tests serve: a model of several inputs, one of vectors, a card, and files to send."""

import io
import wave

import numpy as np
from PIL import Image as Picture
from tiny_multimodal import tiny_multimodal

from kerasft import inputs, models
from kerasft.learner import Learner
from kerasft.tasks import Embedding

MANY = "many, 'named' things"
DAYS = [f"day {number}" for number in range(1, 13)]
CARD = """---
license: mit
---

# films\\_of a card

A **quiet** `model` with a [link](https://elsewhere.invalid/x) and <img src=x onerror=alert(1)>.

| figure | value |
|---|---|
| a \\| b | 1,000 |

- one
- two

```python
print("</pre>")
```
"""


def picture(random):
    file = io.BytesIO()
    Picture.fromarray(random.integers(0, 256, (12, 9, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()


def sound(random):
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes(random.integers(-9000, 9000, 600).astype("<i2").tobytes())
    return file.getvalue()


def several_inputs():
    return tiny_multimodal(targets={"season": ["cold", "mild", "warm"], "day": DAYS})


def vectors():
    text = inputs.Text.learn(["a quiet film", "a loud one"], max_tokens=6)
    table = np.random.default_rng(0).normal(size=(text.vocabulary_size, 11)).astype(np.float32)
    return Learner({"text": text}, models.mean_vector(table), Embedding(11))
