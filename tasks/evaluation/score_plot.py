"""The picture of an evaluation's scores, beside their thresholds and the previous run's."""

from collections.abc import Mapping
from io import BytesIO

from tasks.environment.quality import Metric

DOTS_PER_INCH = 100


def plot_scores(
    scores: Mapping[Metric, float], thresholds: Mapping[Metric, float], previous: Mapping[Metric, float]
) -> bytes:
    """A PNG with a bar (0..1) for each score, a line at its threshold, and a dot where the previous run was."""
    # Imported here, because matplotlib takes a second and every run of the flow imports this module.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = list(scores)[::-1]
    # Made without pyplot, which would keep the figure and choose a backend for the whole process.
    figure = Figure(figsize=(8, 0.45 * len(names) + 1.3), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    places = range(len(names))
    colours = ["#b3261e" if scores[name] < thresholds.get(name, 0) else "#2a6fb0" for name in names]
    axes.barh(places, [scores[name] for name in names], color=colours, height=0.6)
    for place, name in zip(places, names, strict=True):
        # At the right edge, where no bar, mark or dot can be.
        axes.text(1.1, place, f"{scores[name]:.3f}", va="center", ha="right", fontsize=9)
    demanded = [(place, thresholds[name]) for place, name in zip(places, names, strict=True) if name in thresholds]
    before = [(place, previous[name]) for place, name in zip(places, names, strict=True) if name in previous]
    axes.scatter([x for _, x in demanded], [y for y, _ in demanded], marker="|", s=260, c="black", label="threshold")
    axes.scatter([x for _, x in before], [y for y, _ in before], s=28, c="white", edgecolors="black", label="previous")
    axes.set_yticks(places, [name.replace("_", " ") for name in names])
    axes.set_xlim(0, 1.1)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("score")
    figure.legend(loc="outside upper right", ncols=2, frameon=False, fontsize=9)
    png = BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()
