"""Bars beside each other as inline SVG, in the manner of `kerasft.evaluation.charts`."""

from collections.abc import Sequence

from markupsafe import Markup, escape

from kerasft.evaluation.charts import WIDTH, percent_tick, svg, text_at, ticks

_ROW = 36
_MOST_NAME = 44


def bar_chart(title: str, rows: Sequence[tuple[str, float, str]]) -> Markup:
    """Shares as horizontal bars from zero, each under its name.

    Args:
        title: what is shown; read out by screen readers with all values.
        rows: (name, share, CSS class), the uppermost first; at least one.

    Returns:
        Inline SVG, empty where there are no rows.
    """
    if not rows:
        return Markup("")
    marks = ticks(0.0, max(max(value for _, value, _ in rows), 1e-3), 4)
    height = _ROW * len(rows) + 28
    bottom, right = height - 22, WIDTH - 20

    def place(value: float) -> float:
        return 16 + value / marks[-1] * (right - 16)

    parts = [f'<line class="grid" x1="{place(m):.1f}" x2="{place(m):.1f}" y1="2" y2="{bottom}"/>' for m in marks]
    parts += [text_at(place(m), height - 6, percent_tick(m, marks), "middle") for m in marks]
    for row, (name, value, style) in enumerate(rows):
        y = _ROW * row + 17
        short = name if len(name) <= _MOST_NAME else name[: _MOST_NAME - 1] + "…"
        wide = max(place(value) - place(0.0), 0.0)
        parts.append(text_at(16, y - 4, f"{short}: {value:.2%}", "start", "series-name"))
        parts.append(
            f'<rect class="share {style}" x="16" y="{y}" width="{wide:.1f}" height="11" rx="2">'
            f"<title>{escape(name)}: {value:.2%}</title></rect>"
        )
    return svg(f"{title}: " + "; ".join(f"{name} {value:.2%}" for name, value, _ in rows), height, parts)
