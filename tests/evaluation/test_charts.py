import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasft.evaluation.bars import bar_chart
from kerasft.evaluation.charts import WIDTH, Series, calibration_chart, interval_chart, line_chart, ticks

finite = st.floats(-1e6, 1e6).map(lambda value: round(value, 6))


@given(finite, finite, st.integers(2, 6))
def test_ticks_enclose_the_values(a, b, about):
    low, high = sorted((a, b))
    got = ticks(low, high, about)
    slack = 1e-6 * max(abs(low), abs(high), 1e-3)
    assert got[0] <= low + slack
    assert got[-1] >= high - slack
    assert 2 <= len(got) <= 2 * about + 3
    assert got == sorted(set(got))


def parsed(chart, height_known=True):
    root = ElementTree.fromstring(str(chart))
    height = float(root.get("viewBox").split()[3])
    for element in root.iter():
        for name in ("x", "x1", "x2", "cx"):
            if element.get(name):
                assert 0 <= float(element.get(name)) <= WIDTH
        for name in ("y", "y1", "y2", "cy"):
            if element.get(name):
                assert 0 <= float(element.get(name)) <= height
    assert root.get("role") == "img"
    assert root.get("aria-label")
    return root


@given(st.lists(st.tuples(st.integers(0, 10**6), st.floats(-1e5, 1e5)), min_size=1, max_size=40))
def test_lines_stay_inside_the_drawing(points):
    root = parsed(line_chart("loss", [Series("train", sorted(points), "train")], "epoch", "{:.3g}".format))
    assert len(root.findall("polyline")) == 1


def test_a_single_point_is_a_marker():
    root = parsed(line_chart("loss", [Series("train", [(1, 0.5)], "train")], "epoch", str))
    assert len(root.findall("circle")) == 1


def test_values_that_are_missing_or_not_finite_are_left_out():
    chart = line_chart("loss", [Series("train", [(1, None), (2, math.nan), (3, math.inf)], "train")], "epoch", str)
    assert chart == ""


def test_names_are_escaped():
    chart = line_chart("<a>", [Series("<b>", [(1, 1.0)], "train")], "<c>", str)
    assert "<b>" not in chart
    assert "&lt;b&gt;" in chart
    parsed(chart)


@pytest.mark.parametrize("span", [None, (0.9, 0.9), (0.85, 1.0)])
def test_intervals_stay_inside(span):
    parsed(interval_chart([("this model", 0.9, span, "model"), ("another", 0.31, (0.3, 0.32), "other")]))


def test_calibration_of_one_full_bin():
    bins = [{"lower": 14 / 15, "upper": 1.0, "rows": 5, "accuracy": 1.0, "confidence": 0.99}]
    parsed(calibration_chart(bins, 0.01))
    assert calibration_chart([{"lower": 0, "upper": 1, "rows": 0, "accuracy": None, "confidence": None}], 0) == ""


@given(st.lists(st.tuples(st.text(max_size=60), st.floats(0, 1)), min_size=1, max_size=6))
def test_bars_stay_inside_and_names_are_escaped(rows):
    # Characters that XML forbids are not the chart's business.
    rows = [("".join(c for c in name if c.isprintable()) + "<b>", value, "model") for name, value in rows]
    root = parsed(bar_chart("Macro F1", rows))
    for bar in root.findall("rect"):
        assert float(bar.get("x")) + float(bar.get("width")) <= WIDTH
    assert len(root.findall("rect")) == len(rows)


def test_no_bars_no_chart():
    assert bar_chart("Macro F1", []) == ""
