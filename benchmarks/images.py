"""Images a second, decoded and resized, beside tf.data's own; then a column of 100,000 at constant memory.

    python benchmarks/images.py                       # generated photos; with KERASFT_DATA real ones as well
    python benchmarks/images.py --rounds 9 --rows 0   # more rounds, without the column

Both sides cut out the middle square, resize it with anti-aliasing to --size and give uint8 batches, on all cores
and in turn; how much their pixels differ is printed too. "Decoded alone" is the limit that the JPEG library sets
either way. Other work on the machine shows in the rates, hardly in the processor time a photo. Then the pixels
are compared with Pillow's resize in one call, and those of the served graph with the input's.
"""

import argparse
import os
import resource
import statistics
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from kerasft.inputs import Image
from kerasft.inputs.hostile_images import photo, saved
from kerasft.inputs.image_decode import decode
from kerasft.inputs.image_fit import crop_box
from kerasft.training.augment.image import ImageAugmenter

_BATCH = 64


def real_photos(count: int) -> list[bytes]:
    """Product photos of 60 x 80 pixels from KERASFT_DATA, or none."""
    path = Path(os.environ.get("KERASFT_DATA", "")) / "fashion_product" / "images_60x80.tar.gz"
    if not path.is_file():
        return []
    with tarfile.open(path) as archive:
        members = (member for member in archive if member.isfile())
        return [archive.extractfile(member).read() for member, _ in zip(members, range(count), strict=False)]


def large_photos(count: int) -> list[bytes]:
    """Generated photos of 1200 x 900 pixels with some noise, a few of them over and over."""
    files = [saved(Pillow.fromarray(photo(900, 1200, seed=seed)), "jpeg", quality=88) for seed in range(8)]
    return [files[row % len(files)] for row in range(count)]


def tf_data(photos: list[bytes], size: int, resize: bool) -> Callable[[], np.ndarray]:
    """tf.data as its guide has it: from bytes, mapped in parallel, in batches."""
    import tensorflow as tf

    def prepare(data: tf.Tensor) -> tf.Tensor:
        pixels = tf.io.decode_jpeg(data, channels=3)
        if not resize:
            return tf.shape(pixels)
        shape = tf.shape(pixels)
        side = tf.minimum(shape[0], shape[1])
        pixels = tf.image.crop_to_bounding_box(pixels, (shape[0] - side) // 2, (shape[1] - side) // 2, side, side)
        pixels = tf.image.resize(pixels, (size, size), antialias=True)
        return tf.cast(tf.clip_by_value(tf.round(pixels), 0, 255), tf.uint8)

    data = tf.data.Dataset.from_tensor_slices(photos).map(prepare, num_parallel_calls=tf.data.AUTOTUNE)
    data = data.batch(_BATCH).prefetch(tf.data.AUTOTUNE)
    return lambda: np.concatenate([batch.numpy() for batch in data])


def decode_alone(photos: list[bytes]) -> None:
    """Pillow's decoding on all cores, without the resize."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for _ in pool.map(lambda data: decode(data, (0, 0, 0)).size, photos):
            pass


def in_turn(works: dict[str, Callable[[], object]], count: int, rounds: int) -> None:
    """Runs each in turn and prints the least, median and greatest rate, and processor time a photo."""
    rates, processor = {name: [] for name in works}, {name: [] for name in works}
    for work in works.values():
        work()  # starts threads, traces functions, fills caches
    for _ in range(rounds):
        for name, work in works.items():
            start, busy = time.perf_counter(), time.process_time()
            work()
            rates[name].append(count / (time.perf_counter() - start))
            processor[name].append((time.process_time() - busy) / count)
    for name, found in rates.items():
        low, middle, high = min(found), statistics.median(found), max(found)
        spent = statistics.median(processor[name]) * 1e6
        print(f"  {name:<34}{low:9,.0f}{middle:9,.0f}{high:9,.0f} photos/s{spent:10,.0f} us of processor each")


def compare(photos: list[bytes], size: int) -> None:
    """Prints how much the input's pixels differ from Pillow's resize in one call, tf.data's and the graph's."""
    import tensorflow as tf

    from kerasft.export.image_graph import ImageGraph

    image = Image(size)
    ours, plain = image.encode(photos).values, np.empty((len(photos), size, size, 3), np.uint8)
    for row, data in enumerate(photos):
        decoded = decode(data, image.background).convert("RGB")
        box = crop_box(*decoded.size, size, size)
        plain[row] = np.asarray(decoded.crop(box).resize((size, size), Pillow.Resampling.BILINEAR))
    graph = ImageGraph(image)
    served = tf.function(graph, input_signature=[graph.raw_specs("image")], autograph=False)
    batches = [tf.constant(photos[at : at + _BATCH]) for at in range(0, len(photos), _BATCH)]
    pixels = np.concatenate([served({"image_bytes": batch})[0] for batch in batches])
    for name, one, other in (
        ("Image beside Pillow in one call", ours, plain),
        ("Image beside tf.data", ours, tf_data(photos, size, resize=True)()),
        ("ImageGraph beside Image", pixels, ours),
    ):
        difference = np.abs(one.astype(int) - other)
        print(f"  {name:<34}{np.mean(difference == 0):9.2%} of values equal, at most {difference.max()} of 255 apart")


class Column:
    """Photos over and over, streamed: what a column of a large data set looks like to an input."""

    def __init__(self, photos: list[bytes], rows: int):
        self.photos, self.rows = photos, rows

    def __len__(self) -> int:
        return self.rows

    def digest(self) -> str:
        """Names the content."""
        return f"{len(self.photos)} photos in {self.rows} rows"

    def batches(self, count: int) -> Iterator[list[bytes]]:
        """Successive rows."""
        for start in range(0, self.rows, count):
            yield [self.photos[row % len(self.photos)] for row in range(start, min(start + count, self.rows))]


def column(photos: list[bytes], rows: int, size: int) -> None:
    """Encodes a column to disk, then reads and augments random batches of it."""
    marks = {}

    def progress(done: int) -> None:
        marks[done] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        stack = Image(size).encode_cached(Column(photos, rows), folder, progress=progress)
        seconds = time.perf_counter() - start
        tenth = min(mark for mark in marks if mark >= rows / 10)
        print(f"a column of {rows:,} photos, encoded to a mapped file of {stack.nbytes / 1e6:,.0f} MB")
        print(f"  encoded and written               {rows / seconds:9,.0f} photos/s")
        print(f"  peak memory after {tenth:>9,} rows {marks[tenth]:12,.0f} MB")
        print(f"  peak memory after {rows:>9,} rows {marks[rows]:12,.0f} MB")
        rng, augmenter = np.random.default_rng(0), ImageAugmenter()
        order = rng.permutation(rows)[: rows // _BATCH * _BATCH].reshape(-1, _BATCH)[:400]
        for name, read in (("stack[rows]", stack.__getitem__), ("and ImageAugmenter", None)):
            start, busy = time.perf_counter(), time.process_time()
            for chosen in order:
                read(chosen) if read else augmenter(stack, chosen, rng)
            seconds = (time.perf_counter() - start) / len(order)
            spent = (time.process_time() - busy) / len(order) * 1e3
            print(f"  {name:<34}{_BATCH / seconds:9,.0f} photos/s{'':5}{spent:.2f} ms of processor a batch of {_BATCH}")


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=64, help="side of the square result, in pixels")
    parser.add_argument("--photos", type=int, default=3000, help="small photos a round")
    parser.add_argument("--large", type=int, default=96, help="large photos a round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rows", type=int, default=100_000, help="of the column; 0: no column")
    options = parser.parse_args()
    small = real_photos(options.photos)
    if not small:
        print("KERASFT_DATA is not set: the small photos are generated")
        files = [saved(Pillow.fromarray(photo(80, 60, seed=seed)), "jpeg") for seed in range(100)]
        small = [files[row % len(files)] for row in range(options.photos)]
    if options.rows:  # first, so that the other side's memory does not count
        column(small, options.rows, options.size)
    image = Image(options.size)
    for name, photos in (("60 x 80", small), ("1200 x 900", large_photos(options.large))):
        theirs = tf_data(photos, options.size, resize=True)
        print(f"{len(photos):,} photos of {name}: least, median and most of {options.rounds} rounds")
        works = {
            "kerasft.inputs.Image": lambda photos=photos: image.encode(photos),
            "tf.data, decode_jpeg and resize": theirs,
            "decoded alone, Pillow": lambda photos=photos: decode_alone(photos),
            "decoded alone, tf.data": tf_data(photos, options.size, resize=False),
        }
        in_turn(works, len(photos), options.rounds)
        compare(photos[:500], options.size)


if __name__ == "__main__":
    main()
