import io
import os
import resource
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasft.data import load


@pytest.mark.skipif("KERASFT_DATA" not in os.environ, reason="KERASFT_DATA is not set")
def test_fashion_products_by_rule_with_their_photos(tmp_path, capsys):
    folder = Path(os.environ["KERASFT_DATA"]) / "fashion_product"
    start = time.perf_counter()
    rows = load(
        f"tsv:{folder / 'meta.tsv.gz'}",
        inputs=("text", "image"),
        text_column="name",
        image="{id}.jpg",
        files=folder / "images_60x80.tar.gz",
        targets=("season", "usage", "gender"),
        test_where="id % 10 == 0",
        validation_where="id % 10 == 1",
        min_label_rows=10,
        cache=tmp_path,
    )
    loaded = time.perf_counter()
    assert rows.checks["rows"] == {"train": 9613, "validation": 1207, "test": 1180}
    assert {int(number) % 10 for number in rows.test["id"]} == {0}
    assert {int(number) % 10 for number in rows.train["id"]} == set(range(2, 10))
    assert rows.targets["season"] == ["Fall", "Spring", "Summer", "Winter"]
    assert "Party" not in rows.targets["usage"]
    count = 0
    for split in (rows.train, rows.validation, rows.test):
        assert split["image"].present.all()
        for batch in split["image"].batches(256):
            count += sum(value[:2] == b"\xff\xd8" for value in batch)
    read = time.perf_counter()
    assert count == 12_000
    assert Image.open(io.BytesIO(rows.test["image"][0])).size == (60, 80)
    with capsys.disabled():
        sys.stdout.write(
            f"\nfashion_product: loaded in {loaded - start:.1f} s, 12,000 files read in {read - loaded:.2f} s\n"
        )


@pytest.mark.slow
def test_a_hundred_thousand_images_at_flat_memory(tmp_path, capsys):
    count, data = 100_000, os.urandom(4000)
    with open(tmp_path / "a.csv", "w", encoding="utf-8") as file:
        file.write("id,name,label\n" + "".join(f"{n},thing {n},{'xyz'[n % 3]}\n" for n in range(count)))
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        for number in range(count):
            member = tarfile.TarInfo(f"images/{number}.jpg")
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        rows = load(
            f"csv:{tmp_path / 'a.csv'}", inputs=("text", "image"), text_column="name", image="{id}.jpg",
            files=tmp_path / "a.tar", cache=tmp_path / "cache",
        )  # fmt: skip
        seconds.append(time.perf_counter() - start)
    order = np.random.default_rng(0).permutation(len(rows.train))
    start = time.perf_counter()
    total = sum(len(value) for places in np.array_split(order, 300) for value in rows.train["image"][places])
    speed = len(order) / (time.perf_counter() - start)
    assert total == 4000 * len(order)  # 320 MB were read
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    with capsys.disabled():
        sys.stdout.write(
            f"\n100,000 rows: {seconds[0]:.1f} s, again {seconds[1]:.1f} s; {speed:,.0f} files/s; {grown:.0f} MB more\n"
        )
    assert grown < 250
