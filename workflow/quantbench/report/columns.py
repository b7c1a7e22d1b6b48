"""Tables for people: which columns, under which names, in which form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..config import Vocabulary
from ..config.vocabulary import task_title
from ..contracts.cell_name import Cell
from ..contracts.effect_parts import LabelEffectRow
from ..contracts.effect_rows import EffectRow
from ..contracts.likelihood_tables import LikelihoodRow
from ..contracts.pooled_rows import PooledRow
from ..contracts.run_tables import EfficiencyRow, Table1Row
from ..tables import unit_note
from ..tables.pooled_effects import EVERY_METRIC
from ..tasks import metric
from .report_table import (
    Column,
    ReportTable,
    RowOf,
    Shown,
    cell_names,
    interval,
    known_numbers,
    number,
    report_table,
    shown_value,
    units_column,
    word,
)

_BASES = {"these": "these models on these datasets", "like these": "models and datasets like these"}


def table1(vocabulary: Vocabulary, table: Sequence[Table1Row]) -> ReportTable:
    """Table 1: the zero-shot cells, with published values where the same cell was published."""
    published = any(row.published_score is not None for row in table)
    columns: dict[str, Column[Table1Row]] = {
        **cell_names(vocabulary, Table1Row),
        "Metric": lambda row: word(metric(row.metric).title),
        "Score": number("score", ".3f"),
        "Interval": interval("score_low", "score_high", ".3f"),
        "Constant answer": number("constant_score", ".3f"),
        **known_numbers(table, {"Score as published": ("score_as_published", ".3f")}),
        **({"Published score": number("published_score", ".3f")} if published else {}),
        **_memory_column(table),
        **({"Published memory (GiB)": number("published_memory_gib", ".1f")} if published else {}),
        "Latency (s)": number("latency_s", ".3g"),
        **({"Published latency (s)": number("published_latency_s", ".3g")} if published else {}),
        "Unparseable": number("unparseable_rate", ".1%"),
        **known_numbers(
            table,
            {
                "Cut off": ("truncated_rate", ".1%"),
                "Cut off, change": ("truncated_difference", "+.1%"),
                "New tokens": ("mean_new_tokens", ".1f"),
                "New tokens, change": ("new_tokens_difference", "+.1f"),
            },
        ),
        "n": number("n", ".0f"),
        **units_column(table),
    }
    caption = (
        "Zero-shot cells: score with its confidence interval, memory, mean latency of single queries, answers cut at the limit "
        "of new tokens and mean new tokens of an answer (change: against full precision)"
    )
    if any(row.score_as_published is not None for row in table):
        caption += "; as published: the same answers read and scored as the paper's authors probably did"
    units = unit_note(vocabulary, table)
    caption = f"{caption}. {units}" if units else caption
    return report_table(("table1", "Table 1"), caption, columns, table)


def effects(vocabulary: Vocabulary, table: Sequence[EffectRow]) -> ReportTable:
    """Each quantized cell against full precision."""
    columns: dict[str, Column[EffectRow]] = {
        "Study": lambda row: word(row.study),
        **cell_names(vocabulary, EffectRow),
        "Prompt": lambda row: word(f"{row.prompting}, {row.shots} shots"),
        "Full": number("full_score", ".3f"),
        "Score": number("score", ".3f"),
        "Difference": number("difference", "+.3f"),
        "Interval": interval("difference_low", "difference_high", "+.3f"),
        "Verdict": lambda row: word(row.verdict),
        "Margin": number("margin", ".3g"),
        **known_numbers(
            table,
            {
                "Supported margin": ("supported_margin", ".3f"),
                "Smallest loss found": ("smallest_detectable", ".3f"),
                "Needed": ("units_needed", ".0f"),
            },
        ),
        "Changed": number("flip_rate", ".1%"),
        "Lost": number("lost", ".0f"),
        "Gained": number("gained", ".0f"),
        "p (Holm)": number("holm_p", ".2g"),
        **units_column(table),
        "Noise floor": number("noise_floor_flip_rate", ".1%"),
        "Noise floor of": lambda row: word(_floor_of(vocabulary, row)),
        **known_numbers(
            table,
            {
                "p against it (Holm)": ("noise_floor_holm_p", ".2g"),
                "Refused, full": ("full_refused_rate", ".1%"),
                "Refused": ("refused_rate", ".1%"),
                "Cut off, full": ("full_truncated_rate", ".1%"),
                "Cut off": ("truncated_rate", ".1%"),
                "New tokens, full": ("full_mean_new_tokens", ".1f"),
                "New tokens": ("mean_new_tokens", ".1f"),
            },
        ),
    }
    caption = (
        "Quantized minus full precision on the same samples, with the paired interval; the margin it is judged by, the smallest by which it "
        "would be called preserved, the smallest loss that is found with 80% power, and how many documents (or what is taken as independent) "
        "would show with that power that no more than the margin is lost, where nothing is; changed answers, lost and gained; answers "
        "cut at the limit of new tokens and mean new tokens of an answer, at full precision and here"
    )
    families = {row.family: row.family_size for row in table if row.family is not None}
    if families:
        named = "; ".join(f"{family} ({size})" for family, size in families.items())
        caption += (
            ". p: of the difference, by swapping answers document by document, with Holm's correction for the comparisons of its "
            f"family: {named}"
        )
    return report_table(("effects", "effects of precision"), caption, columns, table, also=("Study", "Verdict"))


def pooled(vocabulary: Vocabulary, table: Sequence[PooledRow]) -> ReportTable:
    """One effect a precision, over the zero-shot grid and by metric."""
    columns: dict[str, Column[PooledRow]] = {
        "Precision": lambda row: word(vocabulary.title("precision", row.precision)),
        "Metric": lambda row: word("all" if row.metric == EVERY_METRIC else metric(row.metric).title),
        "Comparisons": number("comparisons", ".0f"),
        "Left out": number("left_out", ".0f"),
        "Full": number("full_score", ".3f"),
        "Score": number("score", ".3f"),
        "Difference": number("difference", "+.4f"),
        "Interval": interval("difference_low", "difference_high", "+.4f"),
        "Interval, others like them": interval("general_low", "general_high", "+.4f"),
        "Verdict": lambda row: word(row.verdict),
        "Kept": number("recovery", ".1%"),
        "Interval of what is kept": interval("recovery_low", "recovery_high", ".1%"),
        "Kept above chance": number("recovery_above_chance", ".1%"),
        "Largest loss": lambda row: word(
            f"{row.worst_difference:+.3f}, {vocabulary.title('model', row.worst_model)} on "
            f"{vocabulary.title('dataset', row.worst_dataset)}"
        ),
        "Its interval": interval("worst_low", "worst_high", "+.3f"),
    }
    rests = {row.basis for row in table}
    caption = (
        "Mean difference to full precision over zero-shot comparisons, each counting the same: interval for these models on these "
        "datasets, and for models and datasets like these where there are enough; "
        f"{' or '.join(f'verdicts by the interval for {_BASES[basis]}' for basis in sorted(rests))}; score kept, in percent of full "
        "precision's; the largest loss with the interval that holds for all comparisons of the row at once"
    )
    return report_table(("pooled", "pooled effects"), caption, columns, table)


def efficiency(vocabulary: Vocabulary, table: Sequence[EfficiencyRow], scores: Mapping[Cell, float]) -> ReportTable:
    """Memory and latency beside score; ratios are to full precision."""
    columns: dict[str, Column[EfficiencyRow]] = {
        **cell_names(vocabulary, EfficiencyRow),
        "Prompt": lambda row: word(f"{row.prompting}, {row.shots} shots"),
        "Score": lambda row: shown_value(scores[row.cell], ".3f"),
        **_memory_column(table),
        "Memory ratio": number("memory_ratio", ".2f"),
        "Latency (s)": number("latency_mean_s", ".3g"),
        "Latency ratio": number("latency_ratio", ".2f"),
        **known_numbers(
            table,
            {"New tokens": ("timed_new_tokens_mean", ".1f"), "New tokens, full": ("full_timed_new_tokens_mean", ".1f")},
        ),
        **_ratio(table, "Further token ratio", "further_token_ratio"),
        **_ratio(table, "First token ratio", "first_token_ratio"),
        "Tokens/s": number("tokens_per_s", ".3g"),
        **known_numbers(
            table,
            {
                "Energy an answer (J)": ("energy_per_answer_j", ".3g"),
                "Energy ratio": ("energy_ratio", ".2f"),
                "Energy, 1,000 tokens (J)": ("energy_per_1000_tokens_j", ".3g"),
                "Energy ratio, tokens": ("energy_per_1000_tokens_ratio", ".2f"),
            },
        ),
        **_notes(table),
    }
    caption = "Memory, latency and energy of every cell, and as ratios to full precision (below 1 is a saving)"
    if any(row.further_token_ratio is not None for row in table):
        caption += (
            ". Latency is of whole answers, which may be longer or shorter than at full precision (new tokens); further and first token: "
            "of the same samples with outputs of one length, geometric means with paired intervals"
        )
    return report_table(("efficiency", "memory and latency"), caption, columns, table)


def labels(vocabulary: Vocabulary, table: Sequence[LabelEffectRow], confidence: float) -> ReportTable:
    """The labels whose F1 changed beyond chance: means over models first, then single cells, the largest losses first."""
    found = [row for row in table if row.stands_out(confidence)]
    columns: dict[str, Column[LabelEffectRow]] = {
        "Task": lambda row: word(task_title(row.task)),
        "Dataset": lambda row: word(vocabulary.title("dataset", row.dataset)),
        "Model": lambda row: word(vocabulary.title("model", row.model) if row.model else f"mean of {row.models}"),
        "Precision": lambda row: word(vocabulary.title("precision", row.precision)),
        "Label": lambda row: word(row.label),
        "Samples": number("support", ".0f"),
        "F1, full": number("full_f1", ".3f"),
        "F1": number("f1", ".3f"),
        "Difference": number("difference", "+.3f"),
        "Interval": interval("difference_low", "difference_high", "+.3f"),
        "p (Holm)": number("holm_p", ".2g"),
        "Note": lambda row: word(row.note or ""),
    }
    means, cells = (len({row.family for row in table if (row.model is None) == mean}) for mean in (True, False))
    caption = (
        f"Labels whose interval excludes 0 and whose p is below {1 - confidence:.2g} after Holm's correction, {len(found)} of {len(table)} lines. The "
        "correction is for the labels of one cell, and for all means over models; without any loss, at most "
        f"{(1 - confidence) * (means + cells):.2g} of {means + cells} such families would have a line here"
    )
    ordered = sorted(found, key=lambda row: (row.model is not None, row.difference))
    return report_table(("labels", "effects on labels"), caption, columns, ordered)


def likelihoods(vocabulary: Vocabulary, table: Sequence[LikelihoodRow]) -> ReportTable:
    """How far each cell is from full precision in its log-probabilities, and how sure it was of its answers."""
    columns: dict[str, Column[LikelihoodRow]] = {
        **cell_names(vocabulary, LikelihoodRow),
        "Prompt": lambda row: word(f"{row.prompting}, {row.shots} shots"),
        "KL (nats/token)": number("kl", ".2g"),
        "KL, interval": interval("kl_low", "kl_high", ".2g"),
        "Same first choice": number("same_first_choice", ".2%"),
        "Options": number("option_mass", ".0%"),
        "NLL of gold": number("gold_nll", ".3f"),
        "NLL, change": number("gold_nll_difference", "+.3f"),
        "NLL, interval": interval("gold_nll_difference_low", "gold_nll_difference_high", "+.3f"),
        "p (NLL)": number("gold_nll_p", ".2g"),
        "Brier": number("brier", ".3f"),
        "ECE": number("ece_equal_width", ".3f"),
        "ECE if calibrated": number("ece_equal_width_if_calibrated", ".3f"),
        "Flips": number("flips", ".0f"),
        "Margin of flips": number("margin_flipped", ".2f"),
        "Margin of others": number("margin_unflipped", ".2f"),
        "Coin tosses": number("coin_toss_share", ".0%"),
    }
    caption = (
        "Cells that kept log-probabilities, in nats. KL: mean divergence from full precision, a token of its answers. Options: mean probability that an answer begins with one; below "
        "50% what follows of options does not describe the answers. NLL of gold: mean "
        "negative log-likelihood of the right option; change: against full precision, paired. ECE: expected calibration error in "
        "ten bins of equal width, beside what a perfectly calibrated model would have shown. Margins: median log-odds at full "
        "precision, of the likeliest option or of the weakest token written; coin tosses: flips with a margin below ln 1.5"
    )
    return report_table(("likelihoods", "likelihoods"), caption, columns, table)


def _memory_column(table: Sequence[Table1Row] | Sequence[EfficiencyRow]) -> dict[str, Column[RowOf]]:
    small = len(table) > 0 and max(row.memory_gib for row in table) < 0.5
    return {"Memory (MiB)" if small else "Memory (GiB)": number("memory_gib", ".2f", 1024 if small else 1)}


def _floor_of(vocabulary: Vocabulary, row: EffectRow) -> str:
    """Whose noise floor stands beside a comparison; empty where none does, or where an earlier version did not say."""
    return "" if row.noise_floor_model is None else vocabulary.title("model", row.noise_floor_model)


def _ratio(table: Sequence[EfficiencyRow], header: str, column: str) -> dict[str, Column[EfficiencyRow]]:
    """A ratio with its interval behind it, where any row has one."""

    def cell(row: EfficiencyRow) -> Shown:
        value, low, high = (getattr(row, name) for name in (column, f"{column}_low", f"{column}_high"))
        shown = shown_value(value, ".2f")
        # To itself a ratio is 1 and nothing else.
        return shown if low is None or low == high else Shown(f"{shown.text} [{low:.2f}, {high:.2f}]", shown.order)

    return {header: cell} if any(getattr(row, column) is not None for row in table) else {}


def _notes(table: Sequence[EfficiencyRow]) -> dict[str, Column[EfficiencyRow]]:
    """Why ratios are missing and what slowed GPUs, where any row says it."""

    def cell(row: EfficiencyRow) -> Shown:
        return word("; ".join(note for note in (row.ratio_note, row.clock_note) if note))

    return {"Note": cell} if any(row.ratio_note or row.clock_note for row in table) else {}
