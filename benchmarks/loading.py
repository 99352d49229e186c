"""Loading a million reviews from csv: rows a second and peak memory, each in a process of its own.

    python benchmarks/loading.py                  # 1,000,000 reviews of 230 words, 1.3 GB of csv
    python benchmarks/loading.py --rows 100000

Beside `kerasft.data.load`, cold (converts the file) and warm (maps it), stands `pandas.read_csv` where pandas
is installed. Peak memory is the process's largest resident set, mapped pages included.
"""

import argparse
import csv
import importlib.util
import random
import subprocess
import sys
import tempfile
from pathlib import Path

_KERASFT = """
from kerasft.data import load
rows = load("csv:" + sys.argv[1], cache=sys.argv[2])
count = len(rows.train) + len(rows.validation) + len(rows.test)
"""
_PANDAS = """
import pandas
count = len(pandas.read_csv(sys.argv[1]))
"""
_FRAME = """
import resource, sys, time
start = time.perf_counter()
{body}
seconds = time.perf_counter() - start
print(count, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def write_reviews(path: Path, rows: int, words: int, seed: int = 0) -> None:
    """Writes reviews that differ, with commas, quotes and line breaks among their words."""
    source = random.Random(seed)
    vocabulary = ["".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=source.randint(1, 9))) for _ in range(20_000)]
    vocabulary += ['"so called"', "end.\n", "well,", "<br />", "café"] * 100
    stretches = [" ".join(source.choices(vocabulary, k=words // 5)) for _ in range(20_000)]
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["review", "sentiment"])
        for row in range(rows):
            writer.writerow([f"{row} " + " ".join(source.choices(stretches, k=5)), ("negative", "positive")[row % 2]])


def measure(name: str, body: str, *arguments: str) -> None:
    """Runs a body in a fresh process and prints its line of the table."""
    command = [sys.executable, "-c", _FRAME.format(body=body), *arguments]
    count, seconds, memory = map(
        float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    )
    print(f"{name:<28}{seconds:9.1f} s{count / seconds:12,.0f} rows/s{memory:9,.0f} MB at most")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--words", type=int, default=230)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reviews.csv"
        write_reviews(path, options.rows, options.words)
        print(f"{options.rows:,} reviews, {path.stat().st_size / 1e6:,.0f} MB of csv")
        measure("kerasft, first load", _KERASFT, str(path), folder)
        measure("kerasft, loaded before", _KERASFT, str(path), folder)
        if importlib.util.find_spec("pandas"):
            measure("pandas.read_csv", _PANDAS, str(path))
        else:
            print("pandas.read_csv: pandas is not installed")


if __name__ == "__main__":
    main()
