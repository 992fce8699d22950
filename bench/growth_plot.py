"""The picture of what grows with a knowledge base."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Read as well on a white page as on a black one.
TEXT = "#808890"
LINES = ("#d9822b", "#3d8bd4")


def plot_growth(
    chunks: Sequence[int], seconds: Mapping[str, Sequence[float]], milliseconds: Mapping[str, Sequence[float]]
) -> bytes:
    """An SVG with two panels over the number of chunks: seconds, on a logarithmic scale, and milliseconds.

    Of each named line there is a value for each of `chunks`.
    """
    # Made without pyplot, which would keep the figure and choose a backend for the whole process.
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    svg = BytesIO()
    # The same figures give the same file: no random ids, no date, and letters in place of a font's outlines.
    with mpl.rc_context({"svg.hashsalt": "growth", "svg.fonttype": "none"}):
        figure = Figure(figsize=(9, 3.2), layout="constrained")
        FigureCanvasSVG(figure)
        left, right = figure.subplots(1, 2)
        _draw(left, chunks, seconds, "seconds")
        left.set_yscale("log")
        left.yaxis.set_major_formatter("{x:g}")
        _draw(right, chunks, milliseconds, "milliseconds, median")
        right.set_ylim(bottom=0)
        figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None})
    return svg.getvalue()


def _draw(panel: "Axes", chunks: Sequence[int], lines: Mapping[str, Sequence[float]], unit: str) -> None:
    for (name, values), colour in zip(lines.items(), LINES, strict=False):
        panel.plot(chunks, values, marker="o", ms=4, c=colour, label=name)
    panel.set_xscale("log")
    panel.set_xticks(chunks, [f"{count:,}" for count in chunks])
    panel.set_xlabel("chunks", color=TEXT)
    panel.set_title(unit, color=TEXT, fontsize=10)
    panel.tick_params(colors=TEXT, which="both")
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(TEXT)
    panel.legend(frameon=False, labelcolor=TEXT, fontsize=9)
