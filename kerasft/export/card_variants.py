"""What a model card says of a bundle's smaller models."""

from collections.abc import Iterator, Mapping
from typing import Any

from kerasft.evaluation import shown
from kerasft.export.card_words import plain, table


def variants_section(variants: Mapping[str, Any]) -> Iterator[str]:
    """A table for each variant that was measured, and whether the bundle holds it.

    Args:
        variants: by name, what `add_int8` found.
    """
    for name, found in variants.items():
        yield from ("", f"### Variant {plain(name)}", "")
        if not found["kept"]:
            yield f"Measured and {plain(found['why'])}."
            continue
        yield f'`Predictor(bundle, variant="{name}")`. Outside the tolerance above; measured beside float32, in turn:'
        yield ""
        rows = [
            [
                title,
                shown.percent(found["accuracy"][kind]),
                f"{found['milliseconds'][kind]:.2f} ms",
                f"{found['rows_a_second'][kind]:,.0f}",
                f"{found['bytes'][kind] / 1e6:.1f} MB",
            ]
            for title, kind in (("float32", "float32"), (plain(name), name))
        ]
        yield from table(["", "accuracy", "one row", "rows/s", "file"], rows)
        yield ""
        yield f"{found['labels_equal']:,} of {found['rows']:,} labels are equal."
