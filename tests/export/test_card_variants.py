"""What a card says of smaller models that were kept, and of those that were not."""

from kerasft.export.card_variants import variants_section

FOUND = {
    "why": "faster: ...",
    "rows": 1_000,
    "labels_equal": 996,
    "accuracy": {"float32": 0.881, "int8": 0.88},
    "milliseconds": {"float32": 12.0, "int8": 8.5},
    "rows_a_second": {"float32": 80.4, "int8": 119.6},
    "bytes": {"float32": 29_842_360, "int8": 20_237_804},
}


def test_a_variant_that_was_kept():
    text = "\n".join(variants_section({"int8": {"kept": True, **FOUND}}))
    assert 'Predictor(bundle, variant="int8")' in text
    assert "| float32 | 88.10% | 12.00 ms | 80 | 29.8 MB |" in text
    assert "| int8 | 88.00% | 8.50 ms | 120 | 20.2 MB |" in text
    assert text.endswith("996 of 1,000 labels are equal.")


def test_a_variant_that_was_left_out():
    why = "left out: not faster, 0.90 times the speed for one row and 0.80 for many, below 1.05"
    assert list(variants_section({"int8": {"kept": False, "why": why}}))[-1] == f"Measured and {why}."


def test_no_variant():
    assert list(variants_section({})) == []
