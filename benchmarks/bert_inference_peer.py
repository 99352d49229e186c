"""Hugging Face transformers on torch at the work of `benchmarks.bert_inference`, run by an interpreter that has both.

    python -P bert_inference_peer.py FOLDER      # one request a line of standard input, one answer a line

A request is {"texts": [...], "length": tokens at most, "precision": "float32" or "bfloat16", "batch": rows at once}.
The answer is {"seconds": ..., "tokens": [...], "logits": [[...], ...]}. It imports nothing of this project.
"""

import contextlib
import json
import sys
import time

import torch
import transformers


def main(folder: str) -> None:
    """Answers until the input ends."""
    transformers.utils.logging.set_verbosity_error()
    tokenizer = transformers.BertTokenizerFast.from_pretrained(folder)
    model = transformers.BertForSequenceClassification.from_pretrained(folder).eval()
    print(json.dumps({"torch": torch.__version__, "transformers": transformers.__version__}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        start = time.perf_counter()
        logits, tokens = answer(tokenizer, model, request)
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "tokens": tokens, "logits": logits}), flush=True)


@torch.inference_mode()
def answer(tokenizer: object, model: object, request: dict) -> tuple[list, list]:
    """Logits and tokens of each text; texts of like length share a batch, padded to its longest."""
    half = request["precision"] == "bfloat16"
    encoded = tokenizer(request["texts"], truncation=True, max_length=request["length"])["input_ids"]
    order = sorted(range(len(encoded)), key=lambda row: -len(encoded[row]))
    logits: list = [None] * len(encoded)
    for start in range(0, len(order), request["batch"]):
        rows = order[start : start + request["batch"]]
        batch = tokenizer.pad({"input_ids": [encoded[row] for row in rows]}, return_tensors="pt")
        with torch.autocast("cpu", torch.bfloat16) if half else contextlib.nullcontext():
            found = model(**batch).logits.float().tolist()
        for row, values in zip(rows, found, strict=True):
            logits[row] = values
    return logits, [len(ids) for ids in encoded]


if __name__ == "__main__":
    main(sys.argv[1])
