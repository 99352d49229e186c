"""The multimodal sample: made-up things with a text, a picture, a sound and a record, and two targets.

Five bits make a row; each input shows some of them, and no input shows all that a target needs:

    place   indoors, outdoors    words of the text
    form    round, angular       shape in the image: a disc, a cross
    colour  cool, warm           colour of the shape
    tone    falling, rising      two notes of the sound; one sound in twenty has them the wrong way round

    kind = place and form: lamp (indoors, round), shelf (indoors, angular), ball (outdoors, round), kite (outdoors,
           angular). Text or image alone answer half of the rows, sound none, both together all.
    mood = colour + tone: calm (cool, falling), lively (warm, rising), even (the two others). Image or sound alone
           answer half of the rows beyond doubt.

The record says little of each: energy (a number around the tone), price (a number around the place) and material
(agrees with the form in 7 rows of 10). Each value is missing in one row of twenty. No label is noise. Figures on
the sample say that inputs are joined, and nothing about real things.
"""

import io
import wave
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

SIZES = {"train": 1200, "validation": 200, "test": 400}
KINDS = ("lamp", "shelf", "ball", "kite")
MOODS = ("calm", "even", "lively")
TARGETS = ("kind", "mood")
PROGRAM = Path(__file__)

SIDE = 32
RATE = 8_000
_MISSING = 0.05
_WRONG_TONE = 0.05
_RIGHT_MATERIAL = 0.7
_PLACES = (("kitchen", "bedroom", "hallway", "study"), ("garden", "beach", "meadow", "park"))
_ADJECTIVES = ("small", "large", "old", "new", "plain", "fine", "heavy", "light")
_VERBS = ("stands", "was seen", "belongs", "was left", "is kept")
_OPENINGS = ("This", "The", "A rather", "One more", "Another")
_CLOSINGS = ("every day", "since last year", "most of the time", "for a while", "as always")


def generate(split: str, seed: int = 0) -> dict[str, list[Any]]:
    """Makes one split of the sample.

    Args:
        split: "train", "validation" or "test".
        seed: the same seed gives the same rows, on every machine. Default 0.

    Returns:
        Values by column: text (str), image (png bytes), audio (wav bytes), energy and price (float), material (str),
        each None where it is missing; kind and mood (str).

    Example:
        >>> rows = generate("validation")
        >>> len(rows["text"]), sorted(set(rows["mood"]))
        (200, ['calm', 'even', 'lively'])
    """
    # RandomState's stream is frozen for good, unlike that of newer generators.
    source = np.random.RandomState([seed, *map(ord, split)])
    rows: dict[str, list[Any]] = {
        name: [] for name in ("text", "image", "audio", "energy", "price", "material", "kind", "mood")
    }
    for number in range(SIZES[split]):
        place, form, colour, tone = (number >> bit & 1 for bit in range(4))  # every combination equally often
        material = form if source.rand() < _RIGHT_MATERIAL else 1 - form
        values = {
            "text": _text(source, place),
            "image": _image(source, form, colour),
            "audio": _audio(source, tone if source.rand() >= _WRONG_TONE else 1 - tone),
            "energy": round(float(tone + source.normal(0, 0.8)), 3),
            "price": round(float(20 + 10 * place + source.normal(0, 8)), 2),
            "material": ("glass", "wood")[material],
        }
        for name, value in values.items():
            rows[name].append(None if source.rand() < _MISSING else value)
        rows["kind"].append(KINDS[2 * place + form])
        rows["mood"].append(MOODS[colour + tone])
    order = source.permutation(SIZES[split])
    return {name: [column[row] for row in order] for name, column in rows.items()}


def _text(source: np.random.RandomState, place: int) -> str:
    def pick(words: tuple[str, ...]) -> str:
        return words[source.randint(len(words))]

    return (
        f"{pick(_OPENINGS)} {pick(_ADJECTIVES)} thing {pick(_VERBS)} in the {pick(_PLACES[place])} {pick(_CLOSINGS)}."
    )


def _image(source: np.random.RandomState, form: int, colour: int) -> bytes:
    """png [32, 32, 3]: a shape in a colour on grey, with noise."""
    image = Image.new("RGB", (SIDE, SIDE), (int(source.randint(90, 150)),) * 3)
    draw = ImageDraw.Draw(image)
    half = int(source.randint(6, 11))
    x, y = (int(value) for value in source.randint(half + 1, SIDE - half - 1, 2))
    strong, weak = int(source.randint(180, 256)), int(source.randint(0, 70))
    other = int(source.randint(40, 140))
    fill = (strong, other, weak) if colour else (weak, other, strong)
    if form:
        arm = max(2, half // 3)
        draw.rectangle((x - half, y - arm, x + half, y + arm), fill)
        draw.rectangle((x - arm, y - half, x + arm, y + half), fill)
    else:
        draw.ellipse((x - half, y - half, x + half, y + half), fill)
    pixels = np.asarray(image, np.int16) + source.randint(-30, 31, (SIDE, SIDE, 3))
    file = io.BytesIO()
    # Not compressed: what a compressor writes differs between machines.
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file, "PNG", compress_level=0)
    return file.getvalue()


def _audio(source: np.random.RandomState, tone: int) -> bytes:
    """wav, 16 bits, half a second: a low and a high note, in this order where `tone` is 1, with noise."""
    low = source.uniform(300, 600)
    notes = (low, 2 * low) if tone else (2 * low, low)
    frequencies = np.repeat(notes, RATE // 4)
    sound = 0.3 * np.sin(2 * np.pi * np.cumsum(frequencies) / RATE + source.uniform(0, 2 * np.pi))
    samples = np.round(32767 * (sound + source.uniform(-0.15, 0.15, len(sound)))).astype("<i2")
    return wav_bytes(samples, RATE)


def wav_bytes(samples: np.ndarray, rate: int) -> bytes:
    """A mono wav file of 16 bits a sample.

    Args:
        samples: int16 [samples].
        rate: samples a second.
    """
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()
