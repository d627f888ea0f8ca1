"""Bar charts as SVG: a bar for each row, logarithmic where the rows differ much, whiskers from least to most."""

import math
from xml.sax.saxutils import escape

from benchmarks.records import Figure, Table

WIDTH, LABELS, BAR, TOP, SPACE = 760, 300, 20, 44, 90
OURS, OTHERS, INK, LINE = "#2563eb", "#94a3b8", "#1e293b", "#475569"


def chart(table: Table) -> str:
    """Draw the column that the table names; ours in blue, the better first."""
    drawn = {name: row[table.chart] for name, row in table.rows.items() if table.chart in row}
    ordered = sorted(drawn.items(), key=lambda item: item[1].median, reverse=not table.lower)
    scale = Scale([figure for _, figure in ordered])
    height = TOP + len(ordered) * (BAR + 8) + 14
    bars = "".join(_bar(number, name, figure, scale) for number, (name, figure) in enumerate(ordered))
    better = "less is better" if table.lower else "more is better"
    kind = ", logarithmic" if scale.logarithmic else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif" '
        f'font-size="12" role="img"><title>{escape(table.title)}</title>'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
        f'<text x="12" y="18" font-size="14" font-weight="600" fill="{INK}">{escape(table.title)}</text>'
        f'<text x="12" y="34" fill="{LINE}">{escape(table.unit)}{kind}; {better}</text>{bars}</svg>\n'
    )


class Scale:
    """From a value to a length."""

    def __init__(self, figures: list[Figure]) -> None:
        values = [max(figure.median, 1e-3) for figure in figures] or [1.0]
        self.most = max(values)
        self.logarithmic = self.most / min(values) > 50
        self.floor = min(values) / 2

    def __call__(self, value: float) -> float:
        """Give the length of a bar, in pixels."""
        room = WIDTH - LABELS - SPACE
        if not self.logarithmic:
            return max(1.0, min(1.15, value / self.most) * room)
        return max(
            1.0, min(1.15, math.log(max(value, self.floor) / self.floor) / math.log(self.most / self.floor)) * room
        )


def _bar(number: int, name: str, figure: Figure, scale: Scale) -> str:
    y, length = TOP + number * (BAR + 8), scale(figure.median)
    colour = OURS if name.startswith("asgi_auth") else OTHERS
    middle = y + BAR / 2
    low, high = LABELS + scale(figure.least), LABELS + scale(figure.most)
    shown = f"{figure.median:,.0f}" if figure.median >= 100 else f"{figure.median:.3g}"
    return (
        f'<text x="{LABELS - 8}" y="{middle + 4}" text-anchor="end" fill="{INK}">{escape(name)}</text>'
        f'<rect x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR}" rx="3" fill="{colour}"/>'
        f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="{LINE}"/>'
        f'<text x="{max(high, LABELS + length) + 6:.1f}" y="{middle + 4}" fill="{INK}">{shown}</text>'
    )
