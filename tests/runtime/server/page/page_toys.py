"""What the page's tests serve: a model of several inputs, one of vectors, a card, and files to send."""

import io
import wave

import numpy as np
from PIL import Image as Picture

from kerasft import inputs, models
from kerasft.learner import Learner
from kerasft.tasks import Classification, Embedding, Targets

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
    random = np.random.default_rng(1)
    records = [{"price": float(row), "unit size": "sml"[row % 3]} for row in range(9)]
    made = {
        "text": inputs.Text.learn(["a quiet film", "a loud one"], max_tokens=6),
        "image": inputs.Image((8, 8)),
        "audio": inputs.Audio(sample_rate=8000, seconds=0.1, bands=8),
        "tabular": inputs.Tabular.learn(records, numbers=["price"], categories=["unit size"]),
    }
    branches = {
        "text": models.TextBranch(made["text"].vocabulary_size, embedding=4),
        "image": models.ImageBranch(made["image"].shape, channels=(4, 4)),
        "audio": models.AudioBranch(made["audio"].shape, channels=(4, 4)),
        "tabular": models.TabularBranch(1, categories=made["tabular"].category_sizes),
    }
    model = models.fusion_classifier(branches, {"season": 3, "day": len(DAYS)}, fusion="gated", width=4)
    model.set_weights([random.normal(0, 0.5, weight.shape).astype(weight.dtype) for weight in model.get_weights()])
    parts = {"season": Classification(["cold", "mild", "warm"], "season"), "day": Classification(DAYS, "day")}
    return Learner(made, model, Targets(parts))


def vectors():
    text = inputs.Text.learn(["a quiet film", "a loud one"], max_tokens=6)
    table = np.random.default_rng(0).normal(size=(text.vocabulary_size, 11)).astype(np.float32)
    return Learner({"text": text}, models.mean_vector(table), Embedding(11))
