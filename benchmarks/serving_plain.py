"""A bundle behind FastAPI as a tutorial writes it: load the SavedModel, one request, one call.

    python -m benchmarks.serving_plain exported/imdb_lstm/1 8502

The handler is a plain `def`, as FastAPI's users write it, so it runs in FastAPI's pool of threads; the answer has the
form of TensorFlow Serving's. Needs fastapi, uvicorn and TensorFlow; imports nothing of this project.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
model = tf.saved_model.load(sys.argv[1])
serving = model.signatures["serving_default"]


class Request(BaseModel):
    """What is asked."""

    instances: list[str]


@app.post("/predict")
def predict(request: Request) -> dict:
    """Labels and scores of the texts."""
    answer = serving(text=tf.constant(request.instances))
    labels = [label.decode() for label in answer["label"].numpy().tolist()]
    scores = answer["scores"].numpy().tolist()
    return {"predictions": [{"label": label, "scores": row} for label, row in zip(labels, scores, strict=True)]}


@app.get("/healthz")
def healthy() -> dict:
    """Whether it serves."""
    return {"live": True}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
