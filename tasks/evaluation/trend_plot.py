"""The picture of how the metrics moved over the last reports, with their intervals and thresholds."""

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from tasks.environment.quality import Evaluation, Metric
from tasks.evaluation.gate import demands_it
from tasks.evaluation.measured import Measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTS_PER_INCH = 100
COLUMNS = 3
PASSED, REFUSED = "#2a6fb0", "#b3261e"


def plot_trend(reports: Sequence[Measured], demands: Evaluation) -> bytes:
    """A PNG with a panel (0..1) for each metric that any of `reports` (oldest first, at least one) holds.

    A line joins the values, with a bar for each 95 % interval. Runs that failed are red, values that might not fail a
    run because of the judge are hollow, and a dashed line is the threshold of today.
    """
    # Imported here, because matplotlib takes a second and every run of the flow imports this module.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.dates import date2num
    from matplotlib.figure import Figure

    names: list[Metric] = [metric for metric in demands.metrics if any(metric in report.scores for report in reports)]
    rows = max(1, -(-len(names) // COLUMNS))
    figure = Figure(figsize=(11, 2.1 * rows + 0.4), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    panels: list[Axes] = list(figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False).flat)
    dated = [(float(date2num(report.created_at)), report) for report in reports]
    for panel, name in zip(panels, names, strict=False):
        _draw(panel, name, [(day, report) for day, report in dated if name in report.scores], demands)
    for panel in panels[len(names) :]:
        panel.set_axis_off()
    for panel in panels[max(0, len(names) - COLUMNS) : len(names)]:
        _show_dates(panel)
    png = BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def _show_dates(panel: "Axes") -> None:
    """Write the dates below the lowest panel of a column, which need not be in the figure's last row."""
    panel.tick_params(axis="x", labelbottom=True)
    for label in panel.get_xticklabels():
        label.set(rotation=30, ha="right")


def _draw(panel: "Axes", metric: Metric, dated: Sequence[tuple[float, Measured]], demands: Evaluation) -> None:
    """Draw one metric; with each report goes its day as matplotlib counts them."""
    panel.set_title(metric.replace("_", " "), fontsize=9)
    panel.set_ylim(0, 1.02)
    panel.xaxis_date()
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize=8)
    panel.plot([day for day, _ in dated], [report.scores[metric] for _, report in dated], lw=1, c=PASSED)
    for day, report in dated:
        colour = REFUSED if report.refused else PASSED
        if metric in report.intervals:
            panel.vlines(day, *report.intervals[metric], colors=colour, alpha=0.4)
        filled = colour if demands_it(metric, report, demands) else "white"
        panel.scatter([day], [report.scores[metric]], s=18, c=filled, edgecolors=colour, zorder=3)
    if metric in demands.thresholds:
        panel.axhline(demands.thresholds[metric], ls="--", lw=1, c="black")
