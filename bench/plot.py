"""Plots of the results as SVG: bars of each engine's best p50, one picture for each precision."""
import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

import report

COLOURS = {"lambert": "#0b6e4f", "openvino": "#6c8ebf", "onnxruntime": "#d79b00",
           "pytorch": "#b85450"}


def times(rows, engine: str, places) -> list[float]:
    found = [report.cell(rows, engine, *place) for place in places]
    return [row["p50_ms"] if row else float("nan") for row in found]


def panel(axes, rows, title: str) -> None:
    places = report.places(rows)
    engines = [name for name in COLOURS if any(row["engine"] == name for row in rows)]
    width = 0.8 / len(engines)
    for i, engine in enumerate(engines):
        at = [x + (i - (len(engines) - 1) / 2) * width for x in range(len(places))]
        values = times(rows, engine, places)
        bars = axes.bar(at, values, width, color=COLOURS[engine], label=report.NAMES[engine])
        axes.bar_label(bars, [f"{value:.3g}" for value in values], fontsize=6, rotation=90,
                       padding=2)
    axes.set_yscale("log")
    axes.margins(y=0.15)
    axes.set_xticks(range(len(places)),
                    [f"{tokens} tokens\n{threads} thread{'s' * (threads > 1)}"
                     for threads, tokens in places], fontsize=8)
    axes.set_ylabel("ms, p50 (log)")
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)


def write(result: dict, folder: str) -> None:
    """FOLDER/PRECISION.svg, a panel for each model."""
    matplotlib.rcParams["svg.hashsalt"] = "lambert"  # the same bytes for the same numbers
    kinds = report.kinds_of(result["rows"])
    for precision in dict.fromkeys(precision for _, precision in kinds):
        models = [model for model, other in kinds if other == precision]
        figure, axes = pyplot.subplots(1, len(models), figsize=(6 * len(models), 4),
                                       squeeze=False, layout="constrained")
        for place, model in zip(axes[0], models):
            rows = [row for row in result["rows"]
                    if (row["model"], row["precision"]) == (model, precision)]
            panel(place, rows, f"{model}, {precision}")
        axes[0][0].legend(fontsize=8, frameon=False)
        figure.supxlabel(f"one question, {result['machine']['cpu']}, "
                         f"{result['machine']['cores']} cores; lower is better", fontsize=8)
        figure.savefig(f"{folder}/{precision}.svg", metadata={"Date": None})
        pyplot.close(figure)
