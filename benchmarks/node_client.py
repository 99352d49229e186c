"""The Node client beside the runtime on the same rows: are labels equal, and how far are scores apart.

    KERASFT_DATA=... python -m benchmarks.node_client --bundle exported/imdb_lstm exported/bert_sentiment

Rows are IMDb test reviews and the hostile texts of the parity gate. The client's packages are looked for in
docs/clients/node/node_modules (`npm install --ignore-scripts` there) or where KERASFT_NODE_MODULES says.
Ends with 1 if a label differs or a score is further off than 1e-5. A minute on 2 cores.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasft.inputs.hostile import HOSTILE_TEXTS

CLIENT = Path(__file__).parents[1] / "docs" / "clients" / "node"
PACKAGES = ("onnxruntime-node", "tokenizers")
TOLERANCE = 1e-5


def main() -> None:
    """Prints a line for each bundle and kind of rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", nargs="+", default=["exported/imdb_lstm"], help="folders of text bundles")
    parser.add_argument("--rows", type=int, default=200, help="reviews")
    options = parser.parse_args()
    if "KERASFT_DATA" not in os.environ:
        sys.exit("KERASFT_DATA is not set: this benchmark reads imdb/test.parquet below it")
    packages = node_modules()
    if packages is None:
        sys.exit(f"the client's packages are not there: npm install --ignore-scripts in {CLIENT}")
    rows = {"reviews": read(Path(os.environ["KERASFT_DATA"]), options.rows), "hostile": list(HOSTILE_TEXTS)}
    apart = [report(bundle, name, texts, packages) for bundle in options.bundle for name, texts in rows.items()]
    sys.exit(1 if any(apart) else 0)


def read(data: Path, rows: int) -> list[str]:
    """Reviews spread evenly over the test split."""
    import pyarrow.parquet as parquet

    column = parquet.read_table(data / "imdb" / "test.parquet", columns=["text"])["text"]
    return [column[int(row)].as_py() for row in np.linspace(0, len(column) - 1, rows)]


def report(bundle: str, name: str, texts: list[str], packages: Path) -> bool:
    """Prints how the two answer; whether they do so differently."""
    from kerasft.runtime import Predictor

    equal, worst = compare(Predictor(bundle)(texts), ask_node(bundle, texts, packages))
    print(f"{bundle}, {name}: {equal} of {len(texts)} labels equal, largest difference of a score {worst:.1e}")
    return equal < len(texts) or worst > TOLERANCE


def compare(ours: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]]) -> tuple[int, float]:
    """Equal labels, and the largest difference of a score."""
    equal = sum(a["label"] == b["label"] for a, b in zip(ours, theirs, strict=True))
    apart = (abs(a["scores"][key] - b["scores"][key]) for a, b in zip(ours, theirs, strict=True) for key in a["scores"])
    return equal, max(apart)


def node_modules() -> Path | None:
    """The folder with the client's packages, or None where node or one of them is missing."""
    folder = Path(os.environ.get("KERASFT_NODE_MODULES") or CLIENT / "node_modules")
    there = shutil.which("node") and all((folder / name).is_dir() for name in PACKAGES)
    return folder.absolute() if there else None


def ask_node(bundle: str | Path, texts: Sequence[str], packages: Path) -> list[dict[str, Any]]:
    """Answers of the Node client, started once for all texts.

    Args:
        bundle: its folder.
        texts: any `str`; lone surrogates reach the client, too.
        packages: the folder with the client's packages.

    Raises:
        subprocess.CalledProcessError: if the client gives up; what it said is in `stderr`.
    """
    with tempfile.TemporaryDirectory() as folder:
        for file in CLIENT.glob("*.*js*"):
            shutil.copy(file, folder)
        (Path(folder) / "node_modules").symlink_to(packages)  # a module is looked for beside who asks for it
        finished = subprocess.run(
            ["node", str(Path(folder) / "predict.mjs"), str(Path(bundle).absolute())],
            input="".join(json.dumps(text) + "\n" for text in texts),
            capture_output=True, encoding="utf-8", check=True,
        )  # fmt: skip
    return [json.loads(line) for line in finished.stdout.split("\n") if line]


if __name__ == "__main__":
    main()
