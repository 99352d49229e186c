"""Charts as inline SVG: no script, no font, no request; colours come from the page's style sheet.

Each is drawn 360 units wide, near its width on a phone, so that its text stays legible there.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH = 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 18, 30, 36
_MOST_POINTS = 240
_MOST_MARKERS = 24


@dataclass(frozen=True)
class Series:
    """One line of a chart: a name, (x, y) points, and the CSS class that styles it."""

    name: str
    points: Sequence[tuple[float, float]]
    style: str


def line_chart(
    title: str,
    series: Sequence[Series],
    x_label: str,
    format_y: Callable[[float], str],
    *,
    height: int = 220,
    from_zero: bool = False,
) -> Markup:
    """Lines over a common axis, with a legend; a single point is drawn as a marker.

    Args:
        title: what is shown; also read out by screen readers.
        series: one or more lines; points that are None or not finite are left out.
        x_label: what the horizontal axis counts.
        format_y: writes a value of the vertical axis.
        height: in units of the drawing, default 220.
        from_zero: whether the vertical axis starts at 0.
    """
    drawn = [Series(one.name, _thinned(_finite(one.points)), one.style) for one in series]
    drawn = [one for one in drawn if one.points]
    if not drawn:
        return Markup("")
    xs = [x for one in drawn for x, _ in one.points]
    ys = [y for one in drawn for _, y in one.points]
    x_low, x_high = min(xs), max(xs)
    y_ticks = ticks(0.0 if from_zero else min(ys), max(ys), 4)
    x_ticks = [x for x in ticks(x_low, x_high, 5) if x_low <= x <= x_high and x == int(x)] or [x_low]
    right, bottom = WIDTH - _RIGHT, height - _BOTTOM
    left = max(_LEFT, 14 + 6.6 * max(len(format_y(y)) for y in y_ticks))

    def place(x: float, y: float) -> tuple[float, float]:
        across = 0.5 if x_high == x_low else (x - x_low) / (x_high - x_low)
        up = (y - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])
        return left + 6 + across * (right - left - 12), bottom - up * (bottom - _TOP)

    parts = [_axes(y_ticks, format_y, lambda y: place(x_low, y)[1], left, right, bottom)]
    parts += [text_at(place(x, 0)[0], bottom + 15, _count(x), "middle") for x in x_ticks]
    parts.append(text_at((left + right) / 2, height - 4, x_label, "middle", "axis-name"))
    for one in drawn:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in one.points))
        parts.append(f'<polyline class="line {one.style}" points="{path}"/>')
        if len(one.points) <= _MOST_MARKERS:
            for point in one.points:
                x, y = place(*point)
                parts.append(
                    f'<circle class="mark {one.style}" cx="{x:.1f}" cy="{y:.1f}" r="3">'
                    f"<title>{escape(one.name)}, {_count(point[0])}: {escape(format_y(point[1]))}</title></circle>"
                )
    parts.append(_legend(drawn))
    summary = "; ".join(f"{one.name} ends at {format_y(one.points[-1][1])}" for one in drawn)
    return svg(f"{title}: {summary}", height, parts)


def interval_chart(
    rows: Sequence[tuple[str, float, tuple[float, float] | None, str]],
    title: str = "Test accuracy with 95% intervals",
) -> Markup:
    """Shares beside each other on one axis, with their intervals.

    Args:
        rows: (name, share, (low, high) or None, CSS class), the uppermost first.
        title: what is shown, for screen readers.
    """
    values = [v for _, middle, span, _ in rows for v in (middle, *(span or ()))]
    marks = ticks(min(values), min(max(values), 1.0), 4)
    height = 40 * len(rows) + 26
    bottom, right = height - 22, WIDTH - 20

    def place(value: float) -> float:
        return 20 + (value - marks[0]) / (marks[-1] - marks[0]) * (right - 20)

    parts = [f'<line class="grid" x1="{place(m):.1f}" x2="{place(m):.1f}" y1="2" y2="{bottom}"/>' for m in marks]
    parts += [text_at(place(m), height - 6, percent_tick(m, marks), "middle") for m in marks]
    for row, (name, middle, span, style) in enumerate(rows):
        y = 40 * row + 28
        x = place(middle)
        low, high = span or (middle, middle)
        # A name over the left half starts at the edge, so that it never runs out of the drawing.
        anchor, at = ("start", 20) if x < WIDTH / 2 else ("end", right)
        words = f"{name}: {middle:.2%}"
        parts.append(text_at(at, y - 12, words, anchor, "series-name"))
        parts.append(f'<line class="span {style}" x1="{place(low):.1f}" x2="{place(high):.1f}" y1="{y}" y2="{y}"/>')
        parts.append(f'<circle class="dot {style}" cx="{x:.1f}" cy="{y}" r="5"/>')
    summary = "; ".join(f"{name} {middle:.2%}" for name, middle, _, _ in rows)
    return svg(f"{title}: {summary}", height, parts)


def calibration_chart(bins: Sequence[dict], error: float) -> Markup:
    """Accuracy by confidence against the diagonal, with the share of rows in each bin below.

    Args:
        bins: as `calibration` returns them.
        error: the expected calibration error, for the description.
    """
    filled = [one for one in bins if one["rows"]]
    if not filled:
        return Markup("")
    low, total = filled[0]["lower"], sum(one["rows"] for one in filled)
    height, bottom, right = 300, 216, WIDTH - _RIGHT
    high_share = max(one["rows"] for one in filled) / total

    def across(value: float) -> float:
        return _LEFT + (value - low) / (1 - low) * (right - _LEFT)

    def up(value: float) -> float:
        return bottom - value * (bottom - _TOP)

    parts = [_axes([0, 0.25, 0.5, 0.75, 1], lambda v: f"{v:.0%}", up, _LEFT, right, bottom)]
    for one in filled:
        x, wide = across(one["lower"]) + 1, max(across(one["upper"]) - across(one["lower"]) - 2, 1)
        tall = one["rows"] / total / high_share * 34
        words = f"{one['rows']:,} rows, confidence {one['confidence']:.1%}, right {one['accuracy']:.1%}"
        parts.append(
            f'<rect class="bar" x="{x:.1f}" y="{up(one["accuracy"]):.1f}" width="{wide:.1f}" '
            f'height="{bottom - up(one["accuracy"]):.1f}"><title>{words}</title></rect>'
        )
        parts.append(
            f'<rect class="bar quiet" x="{x:.1f}" y="{270 - tall:.1f}" width="{wide:.1f}" '
            f'height="{max(tall, 0.7):.1f}"><title>{words}</title></rect>'
        )
    parts.append(f'<line class="ideal" x1="{across(low):.1f}" y1="{up(low):.1f}" x2="{right}" y2="{up(1):.1f}"/>')
    parts += [
        f'<circle class="mark validation" cx="{across(one["confidence"]):.1f}" cy="{up(one["accuracy"]):.1f}" r="3"/>'
        for one in filled
    ]
    parts += [text_at(across(v), 283, f"{v:.0%}", "middle") for v in ticks(low, 1, 4) if low - 1e-9 <= v <= 1]
    parts.append(text_at(_LEFT - 6, 266, "rows", "end"))
    parts.append(text_at((_LEFT + right) / 2, 297, "confidence (highest score)", "middle", "axis-name"))
    parts.append(text_at(_LEFT, 14, "accuracy within the bin; dashed: ideal", "start", "series-name"))
    return svg(f"Calibration diagram, expected calibration error {error:.2%}", height, parts)


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round values that enclose low to high.

    Example:
        >>> ticks(0.12, 0.48, 4)
        [0.1, 0.2, 0.3, 0.4, 0.5]
    """
    if not high > low:
        middle, reach = low, max(abs(low) * 0.1, 1e-9)
        low, high = middle - reach, middle + reach
    rough = (high - low) / about
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * m for m in (1, 2, 2.5, 5, 10) if unit * m >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{i * step:.10g}") for i in range(first, last + 1)]


def _axes(
    values: Sequence[float],
    words: Callable[[float], str],
    place: Callable[[float], float],
    left: float,
    right: float,
    bottom: float,
) -> str:
    parts = []
    for value in values:
        y = place(value)
        parts.append(f'<line class="grid" x1="{left:.1f}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(text_at(left - 6, y + 4, words(value), "end"))
    parts.append(f'<line class="axis" x1="{left:.1f}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
    return "".join(parts)


def _legend(series: Sequence[Series]) -> str:
    parts, x = [], float(_LEFT)
    for one in series:
        parts.append(f'<line class="line {one.style}" x1="{x}" x2="{x + 20}" y1="12" y2="12"/>')
        parts.append(text_at(x + 26, 16, one.name, "start", "series-name"))
        x += 44 + 6.4 * len(one.name)
    return "".join(parts)


def text_at(x: float, y: float, words: str, anchor: str, style: str = "tick") -> str:
    """Escaped words at a place."""
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def svg(label: str, height: int, parts: Sequence[str]) -> Markup:
    """A drawing of some height, with a label for screen readers."""
    return Markup(
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )


def _finite(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in points if x is not None and y is not None and math.isfinite(y)]


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    if len(points) <= _MOST_POINTS:
        return points
    last = len(points) - 1
    return [points[round(i * last / (_MOST_POINTS - 1))] for i in range(_MOST_POINTS)]


def _count(value: float) -> str:
    return f"{value:,.0f}"


def percent_tick(value: float, marks: Sequence[float]) -> str:
    """A share at an axis, with as many digits as its marks need."""
    step = marks[1] - marks[0]
    return f"{100 * value:.{0 if step >= 0.0099 else 1 if step >= 0.00099 else 2}f}%"
