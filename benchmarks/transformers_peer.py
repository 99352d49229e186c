"""Hugging Face transformers on torch at the work of `benchmarks.transformers`, run by an interpreter that has both.

    python -P transformers_peer.py make FOLDER VOCABULARY.txt '{"hidden_size": ...}'   # a random BERT to start from
    python -P transformers_peer.py classify JOB.npz   # -> {"seconds": ..., "documents": ..., "tokens": ...}
    python -P transformers_peer.py pretrain JOB.npz

A job holds `values`, `lengths`, `targets` of the documents (ids with "[CLS]" and "[SEP]"), `batches` (row numbers, -1
to fill up), `warm` (batches that are not counted), `folder`, `precision` (float32 or bfloat16) and `seconds` after
which either part, warming up and what is counted, may end early. It imports nothing of this project.
"""

import contextlib
import json
import sys
import time

import numpy as np
import torch
import transformers

MASK_RATE, MASK, FIRST_WORD = 0.15, 4, 5


def make(folder: str, vocabulary: str, config: str) -> None:
    """Writes a random model's folder."""
    torch.manual_seed(0)
    sizes = transformers.BertConfig(**json.loads(config))
    transformers.BertForSequenceClassification(sizes).save_pretrained(folder)
    with open(vocabulary, encoding="utf-8") as source, open(f"{folder}/vocab.txt", "w", encoding="utf-8") as target:
        target.write(source.read())
    with open(f"{folder}/tokenizer_config.json", "w", encoding="utf-8") as target:
        json.dump({"do_lower_case": True, "tokenizer_class": "BertTokenizer"}, target)


def padded(job: dict, rows: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and attention mask, padded to the longest of the rows."""
    starts = np.concatenate([[0], np.cumsum(job["lengths"])])
    width = job["lengths"][rows].max()
    ids, mask = np.zeros((len(rows), width), np.int64), np.zeros((len(rows), width), np.int64)
    for place, row in enumerate(rows):
        length = job["lengths"][row]
        ids[place, :length] = job["values"][starts[row] : starts[row] + length]
        mask[place, :length] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask)


def masked(ids: torch.Tensor, vocabulary: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Dynamic masking as `DataCollatorForLanguageModeling` does it: 80 % mask, 10 % random, 10 % as they are."""
    labels = ids.clone()
    chosen = (torch.rand(ids.shape) < MASK_RATE) & (ids >= FIRST_WORD)
    labels[~chosen] = -100
    replaced = chosen & (torch.rand(ids.shape) < 0.8)
    other = chosen & ~replaced & (torch.rand(ids.shape) < 0.5)
    ids = ids.masked_fill(replaced, MASK)
    return torch.where(other, torch.randint(FIRST_WORD, vocabulary, ids.shape), ids), labels


def train(task: str, path: str) -> dict[str, float]:
    """Trains over the job's batches; what they took after the first few."""
    job = dict(np.load(path))
    torch.manual_seed(0)
    kind = transformers.BertForSequenceClassification if task == "classify" else transformers.BertForMaskedLM
    model = kind.from_pretrained(str(job["folder"])).train()
    spared = ("bias", "LayerNorm.weight")
    groups = [
        {"params": [p for n, p in model.named_parameters() if not n.endswith(spared)], "weight_decay": 0.01},
        {"params": [p for n, p in model.named_parameters() if n.endswith(spared)], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-4)
    half = torch.autocast("cpu", torch.bfloat16) if str(job["precision"]) == "bfloat16" else contextlib.nullcontext()
    began, documents, tokens, warm, start = 0.0, 0, 0, True, time.perf_counter()
    for number, batch in enumerate(job["batches"]):
        if warm and (number == job["warm"] or (number and time.perf_counter() - start > job["seconds"])):
            warm, began = False, time.perf_counter()
        rows = batch[batch >= 0]
        ids, mask = padded(job, rows)
        if task == "classify":
            labels = torch.from_numpy(job["targets"][rows].astype(np.int64))
        else:
            ids, labels = masked(ids, model.config.vocab_size)
        with half:
            loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if not warm:
            documents, tokens = documents + len(rows), tokens + int(mask.sum())
            if time.perf_counter() - began > job["seconds"]:
                break
    return {"seconds": time.perf_counter() - began, "documents": documents, "tokens": tokens}


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    if sys.argv[1] == "make":
        make(*sys.argv[2:])
    else:
        print(json.dumps(train(*sys.argv[1:])))
