"""Charts as SVG text: axes, lines, dots, bars with intervals. No library, the same bytes always."""

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape

INK, GRID = "#333", "#ddd"
FONT = 'font-family="sans-serif" font-size="12"'


@dataclass(frozen=True)
class Axis:
    label: str
    low: float
    high: float
    ticks: list[float]
    text: Callable[[float], str] = "{:g}".format


@dataclass
class Chart:
    """A plot area of width × height at (left, top), in a picture with a legend at its right."""

    title: str
    x: Axis
    y: Axis
    width: int = 620
    height: int = 340
    left: int = 70
    top: int = 40
    legend_width: int = 170
    parts: list[str] = field(default_factory=list)
    legend: list[tuple[str, str]] = field(default_factory=list)

    def at_x(self, value: float) -> float:
        share = (value - self.x.low) / (self.x.high - self.x.low)
        return self.left + self.width * min(1.0, max(0.0, share))

    def at_y(self, value: float) -> float:
        share = (value - self.y.low) / (self.y.high - self.y.low)
        return self.top + self.height * (1.0 - min(1.0, max(0.0, share)))

    def line(self, points: list[tuple[float, float]], color: str, width: float = 1.5) -> None:
        path = " ".join(f"{self.at_x(x):.1f},{self.at_y(y):.1f}" for x, y in points)
        self.parts.append(
            f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width}" '
            'stroke-opacity="0.7"/>'
        )

    def dot(self, x: float, y: float, color: str) -> None:
        self.parts.append(
            f'<circle cx="{self.at_x(x):.1f}" cy="{self.at_y(y):.1f}" r="3.5" fill="{color}"/>'
        )

    def level(self, y: float, text: str) -> None:
        at = self.at_y(y)
        self.parts.append(rule(self.left, at, self.left + self.width, at, INK, "4 3"))
        self.parts.append(words(self.left + self.width - 4, at - 4, text, "end"))

    def bar(self, row: float, value: float, interval: tuple[float, float], color: str) -> None:
        """Lies at height `row`, as long as `value`, its interval as a whisker."""
        thick, start, middle = 14, self.at_x(self.x.low), self.at_y(row)
        self.parts.append(
            f'<rect x="{start:.1f}" y="{middle - thick / 2:.1f}" '
            f'width="{self.at_x(value) - start:.1f}" height="{thick}" fill="{color}"/>'
        )
        low, high = (self.at_x(end) for end in interval)
        self.parts.append(rule(low, middle, high, middle, INK))
        for end in (low, high):
            self.parts.append(rule(end, middle - 4, end, middle + 4, INK))

    def text(self) -> str:
        full_width = self.left + self.width + self.legend_width
        full_height = self.top + self.height + 50
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{full_width}" '
                f'height="{full_height}" viewBox="0 0 {full_width} {full_height}" {FONT}>',
                f'<rect width="{full_width}" height="{full_height}" fill="white"/>',
                words(self.left, 22, self.title, "start", 'font-size="15"'),
                *self._axes(),
                *self.parts,
                *self._legend(),
                "</svg>\n",
            ]
        )

    def _axes(self) -> list[str]:
        right, bottom = self.left + self.width, self.top + self.height
        parts = []
        for tick in self.x.ticks:
            at = self.at_x(tick)
            parts.append(rule(at, self.top, at, bottom, GRID))
            parts.append(words(at, bottom + 18, self.x.text(tick), "middle"))
        for tick in self.y.ticks:
            at = self.at_y(tick)
            parts.append(rule(self.left, at, right, at, GRID))
            parts.append(words(self.left - 8, at + 4, self.y.text(tick), "end"))
        parts.append(rule(self.left, bottom, right, bottom, INK))
        parts.append(rule(self.left, self.top, self.left, bottom, INK))
        parts.append(words(self.left + self.width / 2, bottom + 38, self.x.label, "middle"))
        parts.append(words(self.left, self.top - 4, self.y.label, "start"))
        return parts

    def _legend(self) -> list[str]:
        parts, x = [], self.left + self.width + 14
        for i, (text, color) in enumerate(self.legend):
            y = self.top + 10 + 20 * i
            parts.append(f'<rect x="{x}" y="{y - 9}" width="12" height="10" fill="{color}"/>')
            parts.append(words(x + 18, y, text, "start"))
        return parts


def rule(x1: float, y1: float, x2: float, y2: float, color: str, dashes: str = "") -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}"{dashed}/>'
    )


def words(x: float, y: float, text: str, anchor: str, more: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{INK}" {more}>'
        f"{escape(text)}</text>"
    )
