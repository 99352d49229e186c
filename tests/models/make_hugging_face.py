"""Tiny random models of Hugging Face and what they compute, for tests: `python make_hugging_face.py FOLDER [SEED]`.

Needs torch and transformers, which are no dependencies of this project: run it with an interpreter that has them. With
FOLDER = tests/models/hugging_face it makes the folders that are committed there.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "quiet", "film", "##s", "cafe", ",", "北"]
IDS = [[2, 5, 6, 7, 8, 3], [2, 9, 10, 11, 3, 0], [2, 3, 0, 0, 0, 0]]
SIZE = {"vocab_size": len(VOCABULARY), "max_position_embeddings": 16, "initializer_range": 0.5}


def make(folder: Path, seed: int = 0) -> None:
    """Writes a folder for each family into `folder`: config.json, model.safetensors, vocab.txt, expected.json."""
    import torch
    import transformers

    torch.manual_seed(seed)
    common = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 12, **SIZE}
    models = {
        "bert": transformers.BertModel(transformers.BertConfig(**common)),
        "electra": transformers.ElectraModel(transformers.ElectraConfig(embedding_size=4, **common)),
        "distilbert": transformers.DistilBertForMaskedLM(
            transformers.DistilBertConfig(dim=8, n_layers=2, n_heads=2, hidden_dim=12, **SIZE)
        ),
    }
    ids = torch.tensor(IDS)
    for name, model in models.items():
        path = folder / name
        path.mkdir(parents=True, exist_ok=True)
        for value in model.parameters():  # biases and norms too, which would be 0 and 1
            torch.nn.init.normal_(value, std=0.5)
        model.eval().save_pretrained(path)
        (path / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
        (path / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True, "strip_accents": None}) + "\n")
        with torch.no_grad():
            out = getattr(model, "distilbert", model)(ids, attention_mask=(ids != 0).long())
        expected = {"ids": IDS, "hidden": _listed(out.last_hidden_state)}
        if name == "bert":
            expected["pooled"] = _listed(out.pooler_output)
        (path / "expected.json").write_text(json.dumps(expected) + "\n")


def _listed(values: Any) -> list:
    return np.round(values.double().numpy(), 7).tolist()


if __name__ == "__main__":
    make(Path(sys.argv[1]), *map(int, sys.argv[2:]))
