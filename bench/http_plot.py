"""Plots of http.json as SVG: p99 by rate, and what is left of the capacity under more than that."""
import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

COLOURS = {"lambert": "#0b6e4f", "axum-ort": "#6c8ebf", "fastapi-ort": "#d79b00",
           "fastapi-pipeline": "#b85450"}


def curve(axes, rows, across: str, up: str, names: dict, scale: float = 1) -> None:
    """One line for each engine and precision."""
    for engine, precision in dict.fromkeys((row["engine"], row["precision"]) for row in rows):
        points = [(row[across], row[up] * scale) for row in rows
                  if (row["engine"], row["precision"]) == (engine, precision)
                  and row[up] is not None]
        axes.plot(*zip(*sorted(points)), marker=".", color=COLOURS[engine],
                  linestyle="-" if precision == "int8" else "--",
                  label=f"{names[engine]} {precision}")
    axes.spines[["top", "right"]].set_visible(False)


def save(figure, path: str, result: dict) -> None:
    figure.axes[0].legend(fontsize=7, frameon=False)
    figure.supxlabel(f"{result['machine']['cpu']}, {result['machine']['cores']} cores", fontsize=8)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def rates(result: dict, path: str, names: dict) -> None:
    places = list(dict.fromkeys((row["cores"], row["texts"]) for row in result["rates"]))
    figure, axes = pyplot.subplots(1, len(places), figsize=(4.5 * len(places), 4), squeeze=False,
                                   layout="constrained")
    for place, (cores, texts) in zip(axes[0], places):
        curve(place, [row for row in result["rates"]
                      if (row["cores"], row["texts"]) == (cores, texts)],
              "offered_rps", "p99_ms", names)
        place.set_yscale("log")
        place.set(title=f"{texts}, {cores} core{'s' * (cores > 1)}", xlabel="requests a second",
                  ylabel="p99, ms (log)")
    save(figure, path, result)


def overload(result: dict, path: str, names: dict) -> None:
    rows = [{**row, "share": row["goodput_rps"] / row["capacity_rps"]}
            for row in result["overload"]]
    figure, (answered, latency, recovery) = pyplot.subplots(1, 3, figsize=(13, 4),
                                                            layout="constrained")
    curve(answered, rows, "factor", "share", names, 100)
    answered.set(ylim=(0, 130), ylabel="answered, % of capacity")
    curve(latency, rows, "factor", "answered_p99_ms", names)
    latency.set_yscale("log")
    latency.set(ylabel="p99 of answers, ms (log)")
    curve(recovery, rows, "factor", "recovery_s", names)
    recovery.set(ylim=(0, None), ylabel="s until normal, afterwards (none: longer than measured)")
    for axes in (answered, latency, recovery):
        axes.set(xlabel="load, times the capacity", xticks=(2, 5, 10))
    save(figure, path, result)


def write(result: dict, folder: str, names: dict) -> None:
    matplotlib.rcParams["svg.hashsalt"] = "lambert"  # the same bytes for the same numbers
    for section, plot in (("rates", rates), ("overload", overload)):
        if result.get(section):
            plot(result, f"{folder}/http_{section}.svg", names)
