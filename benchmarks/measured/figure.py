"""A result as a figure: one line a model, one mark a precision, in four panels.

Memory: measured (filled) beside planned (cross). Then the time of each further token, the share of the device's copy
bandwidth that reading the weights for it takes, and new tokens a second in a batch.
"""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from quantbench.figures.legends import footnote
from quantbench.figures.style import INK, WIDTH_IN, letter, looks, style
from quantbench.figures.view import wrap

from .summary import derived

LINE_IN = 0.42  # height of a model's line
Line = dict[str, Any]


def figure(result: dict[str, Any]) -> Figure:
    """Draw a result; of each job the longest prompt that was measured is shown."""
    lines = list({(line["model"], line["precision"]): line for line in derived(result)}.values())
    sizes = {model: max(line["weight_gib"] for line in lines if line["model"] == model) for model in _models(lines)}
    models = sorted(sizes, key=lambda model: sizes[model])
    precisions = list(dict.fromkeys(line["precision"] for line in lines))
    on_gpu = result["device"]["kind"] == "cuda"
    with style():
        drawn = Figure(figsize=(WIDTH_IN, 1.1 + LINE_IN * max(2, len(models))), layout="constrained")
        axes = drawn.subplots(1, 4)
        held, planned = ("allocated_gib", "planned_gib") if on_gpu else ("weight_gib", "planned_weight_gib")
        panels = [
            (held, "Peak memory (GiB)" if on_gpu else "Weights (GiB)", 1),
            ("token_s", "Each further token (ms)", 1000),
            ("bandwidth_share", "Share of copy bandwidth (%)", 100),
            ("quality_tokens_per_s", "New tokens/s, batch", 1),
        ]
        for place, (axis, (key, label, factor)) in enumerate(zip(axes, panels, strict=True)):
            letter(axis, place)
            _panel(axis, lines, models, precisions, key, factor)
            axis.set_xlabel(label)
            axis.set_yticks(range(len(models)), [result["titles"][model] for model in models] if not place else [])
        _panel(axes[0], lines, models, precisions, planned, 1, crosses=True)
        _legend(drawn, precisions)
        footnote(drawn, _notes(result, lines))
    return drawn


def _models(lines: list[Line]) -> list[str]:
    return list(dict.fromkeys(line["model"] for line in lines))


def _panel(
    axis: Axes,
    lines: list[Line],
    models: list[str],
    precisions: list[str],
    key: str,
    factor: float,
    crosses: bool = False,
) -> None:
    known = looks(precisions)
    for line in lines:
        if line[key] is None:
            continue
        offset = (precisions.index(line["precision"]) - (len(precisions) - 1) / 2) * 0.8 / len(precisions)
        look = known[line["precision"]]
        shape: dict[str, Any] = {"marker": look.marker, "color": look.colour, "markersize": 4.5}
        if crosses:
            shape = {"marker": "x", "color": INK, "markersize": 3.5, "markeredgewidth": 0.8}
        axis.plot(line[key] * factor, models.index(line["model"]) + offset, linestyle="none", **shape)
    axis.set_ylim(len(models) - 0.5, -0.5)
    axis.set_xlim(0, 1.08 * axis.dataLim.x1 if any(line[key] is not None for line in lines) else 1)
    axis.grid(visible=True, axis="x")
    axis.tick_params(axis="y", length=0)


def _legend(drawn: Figure, precisions: list[str]) -> None:
    handles = [
        Line2D([], [], linestyle="none", marker=look.marker, color=look.colour, label=name)
        for name, look in looks(precisions).items()
    ]
    handles.append(Line2D([], [], linestyle="none", marker="x", color=INK, markersize=4, label="planned"))
    drawn.legend(handles=handles, loc="outside upper center", ncols=len(handles))


def _notes(result: dict[str, Any], lines: list[Line]) -> str:
    device, settings = result["device"], result["settings"]
    copies = result["copy_bytes_per_s"]
    longest = max((line["prompt_tokens"] for line in lines), default=0)
    words = [
        f"{', '.join(device['names'])}; a copy moves {(copies or 0) / 1e9:.0f} GB/s. Random weights.",
        f"Single prompts of {longest} tokens; batches of {settings['samples']} of them.",
    ]
    return wrap([" ".join(words)])
