"""The paper's claims: what Table 1 says of each, and that the evidence follows from the cells and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from quantbench.reproduce.claims import Claim, Evidence
from quantbench.reproduce.cost_claims import AnswersSlower, FitsOneGpu, SavesMemory
from quantbench.reproduce.paper_claims import paper_claims
from quantbench.reproduce.readings import ReadCell, Reading
from quantbench.reproduce.reproduction import paper_facts
from quantbench.reproduce.score_claims import BelowConstant, KeepsPrompting, KeepsScores, LosesAt

MARGIN = 0.01


@pytest.fixture(scope="module")
def table1() -> Reading:
    return paper_facts().reading


def changed(reading: Reading, change: Callable[[ReadCell], ReadCell]) -> Reading:
    return replace(reading, cells=tuple(change(one) for one in reading.cells))


def quantized(change: Callable[[ReadCell], ReadCell]) -> Callable[[ReadCell], ReadCell]:
    return lambda one: one if one.cell.precision == "full" else change(one)


def test_every_claim_has_words_a_source_and_evidence_in_sentences(table1: Reading) -> None:
    claims = paper_claims(table1, MARGIN)
    assert len({claim.words for claim in claims}) == len(claims) == 10
    for claim in claims:
        found = claim.evidence(table1)
        sentences = [*found.speaks_for, *found.speaks_against, *found.undecided, *found.notes]
        assert all(sentence[0].isupper() or sentence[0].isdigit() for sentence in sentences)
        assert all(sentence.endswith(".") for sentence in [claim.words, *sentences])
        assert claim.source


@pytest.mark.parametrize("claim", [SavesMemory(0.75), KeepsScores(MARGIN), FitsOneGpu(70, 40), AnswersSlower()])
def test_without_cells_nothing_is_tested(claim: Claim) -> None:
    assert claim.evidence(Reading("ours", (), on_gpu=True)).verdict == "not tested"


def test_the_largest_saving_of_table_1_is_71_per_cent(table1: Reading) -> None:
    """DeepSeek on NCBI-disease: 125.89 GiB at full precision, 36.34 at W4A16."""
    found = SavesMemory(0.75).evidence(table1)
    assert found.verdict == "mixed"
    assert found.speaks_for == ("64 of 64 cells take less memory: W8A16 42% to 49%, W4A16 61% to 71% less.",)
    assert found.speaks_against == (
        "No saving reaches 75%; the largest is 71.1% (DeepSeek-LLM-67B W4A16 on NCBI-disease).",
    )


def test_a_saving_that_rounds_to_the_claim_reaches_it(table1: Reading) -> None:
    smaller = changed(table1, quantized(lambda one: replace(one, memory_gib=one.memory_gib * 0.863)))
    found = SavesMemory(0.75).evidence(smaller)
    assert found.verdict == "supported" and "The largest saving is 75.1%" in found.speaks_for[1]


def test_memory_that_grows_speaks_against(table1: Reading) -> None:
    larger = changed(table1, quantized(lambda one: replace(one, memory_gib=one.memory_gib * 4)))
    found = SavesMemory(0.75).evidence(larger)
    assert found.verdict == "contradicted" and found.speaks_against[0].startswith("64 take no less: ")


def test_qwen_is_the_one_that_does_not_fit_40_gib(table1: Reading) -> None:
    found = FitsOneGpu(70, 40).evidence(table1)
    assert found.speaks_against == ("Qwen2.5-72B W4A16 peaks at 40.49 to 41.60 GiB: within 40 on 0 of 8 datasets.",)
    assert [line.split(" peaks")[0] for line in found.speaks_for] == ["DeepSeek-LLM-67B W4A16"]


def test_a_peak_that_leaves_no_room_for_the_cuda_context_is_open(table1: Reading) -> None:
    """Llama's peaks all lie under 40 GiB, two of them by less than the context takes."""
    peaks = [
        one.memory_gib for one in table1.cells if (one.cell.model, one.cell.precision) == ("llama-3.3-70b", "w4a16")
    ]
    fitting = sum(peak + 0.5 <= 40 for peak in peaks)
    assert max(peaks) < 40 and 0 < fitting < len(peaks)
    (said,) = FitsOneGpu(70, 40).evidence(table1).undecided
    assert said.startswith("Llama-3.3-70B W4A16 peaks at 38.88 to 39.95 GiB: with 0.5 GiB for the CUDA context")
    assert said.endswith(f"within 40 on {fitting} of 8 datasets.")


def test_a_cpu_has_no_peak_of_gpu_memory(table1: Reading) -> None:
    found = FitsOneGpu(70, 40).evidence(replace(table1, on_gpu=False))
    assert found.verdict == "open" and not found.speaks_for


def test_one_quantized_cell_of_table_1_is_not_slower(table1: Reading) -> None:
    found = AnswersSlower().evidence(table1)
    assert found.speaks_for == ("63 of 64 cells are slower, by factors of: W8A16 1.68 to 3.05, W4A16 1.10 to 1.70.",)
    assert found.speaks_against == ("1 is not (W4A16 1.00): Phi-4 W4A16 on ChemProt.",)


def test_what_quantization_costs_in_table_1(table1: Reading) -> None:
    found = KeepsScores(MARGIN).evidence(table1)
    assert found.speaks_for[0].startswith("39 of 64 cells lose no more than 0.01")
    assert "W8A16 -0.019, W4A16 -0.007" in found.speaks_for[0]
    assert "11 at W8A16" in found.speaks_against[0] and "13 at W4A16" in found.speaks_against[0]
    assert "the most Llama-3.3-70B W8A16 on MedQA (5 options), -0.177" in found.speaks_against[0]
    # Llama on ChemProt: .249 at full precision, .243 at W4A16, and .314 for always the same class.
    assert found.undecided == ("1 has nothing to lose: full precision itself scores no more than one constant answer.",)


@pytest.mark.parametrize("paired", [False, True])
def test_what_knows_nothing_at_full_precision_preserves_nothing(table1: Reading, paired: bool) -> None:
    """A model that scores 0 at every precision loses nothing, which is no evidence that quantization preserves anything."""
    ignorant = changed(table1, lambda one: replace(one, score=0.0, constant=0.0))
    verdicts = {pair.quantized.cell: "preserved" for pair in table1.pairs} if paired else {}
    found = KeepsScores(MARGIN).evidence(replace(ignorant, verdicts=verdicts))
    assert found.verdict == "open" and found.undecided[0].startswith("64 have nothing to lose")


def test_a_loss_of_just_the_margin_is_none(table1: Reading) -> None:
    """0.69 minus 0.7 is a little less than -0.01: decimal fractions are not exact in binary."""
    exact = changed(
        table1, lambda one: replace(one, score=0.7 if one.cell.precision == "full" else 0.69, constant=None)
    )
    assert KeepsScores(MARGIN).evidence(exact).verdict == "supported"


def test_paired_verdicts_go_before_bare_differences(table1: Reading) -> None:
    words = ["preserved", "degraded", "inconclusive", "preserved"]
    verdicts = {pair.quantized.cell: word for pair, word in zip(table1.pairs, words, strict=False)}
    found = KeepsScores(MARGIN).evidence(replace(table1, verdicts=verdicts))
    assert found.speaks_for == (
        "2 of 4 cells are preserved: their paired interval lies above minus the margin of their dataset.",
    )
    assert found.speaks_against[0].startswith("1 is degraded")
    assert found.undecided == ("1 is inconclusive at this number of samples.",) and not found.notes


def test_a_loss_of_open_extent_speaks_against_and_what_cannot_be_judged_for_nothing(table1: Reading) -> None:
    words = ["improved", "worse, extent open", "too few", "at chance"]
    verdicts = {pair.quantized.cell: word for pair, word in zip(table1.pairs, words, strict=False)}
    found = KeepsScores(MARGIN).evidence(replace(table1, verdicts=verdicts))
    assert found.speaks_for[0].startswith("1 of 3 cells are preserved")
    assert len(found.speaks_against) == 1 and found.speaks_against[0].startswith("1 is worse, and by how much is open")
    assert [line.split(":")[0] for line in found.undecided] == [
        "1 is inconclusive at this number of samples.",
        "1 has nothing to lose",
    ]


def test_table_1_has_no_biomedical_model(table1: Reading) -> None:
    claim = KeepsScores(MARGIN, "biomedical")
    assert claim.evidence(table1).verdict == "not tested"
    biomedical = changed(table1, lambda one: replace(one, domain="biomedical"))
    assert claim.evidence(biomedical) == KeepsScores(MARGIN).evidence(table1)


def test_gains_from_prompting_are_held_against_full_precision(table1: Reading) -> None:
    claim = KeepsPrompting(MARGIN)
    assert claim.evidence(table1).verdict == "not tested"

    def with_shots(gain: dict[str, float]) -> Reading:
        more = [
            replace(one, cell=replace(one.cell, shots=3), score=one.score + gain[one.cell.precision])
            for one in table1.cells
        ]
        return replace(table1, cells=(*table1.cells, *more))

    alike = claim.evidence(with_shots({"full": 0.05, "w8a16": 0.05, "w4a16": 0.05}))
    assert alike.speaks_for == ("60 of 64 gains fall short of full precision's by no more than 0.01.",)
    # Llama on ChemProt and DeepSeek on PubMedQA stay below a constant answer with .05 more.
    assert alike.undecided[0].startswith("4 show nothing")
    lost = claim.evidence(with_shots({"full": 0.05, "w8a16": 0.05, "w4a16": 0.02}))
    assert lost.verdict == "mixed" and "32 fall short by more" in lost.speaks_against[0]
    assert "3 shots), -0.030" in lost.speaks_against[0]


def test_the_greatest_loss_is_found_and_not_named_beforehand(table1: Reading) -> None:
    claim = LosesAt.greatest(table1, MARGIN)
    assert claim is not None
    assert (claim.model, claim.precision) == ("llama-3.3-70b", "w8a16")
    assert claim.words == "Llama-3.3-70B W8A16 loses score." and "-0.061" in claim.source
    found = claim.evidence(table1)
    assert "HoC -0.107" in found.speaks_for[0] and "MedQA (5 options) -0.177" in found.speaks_for[0]
    assert found.speaks_against == ("It does not on NCBI-disease +0.019, PubMedQA +0.052.",)
    mended = changed(table1, lambda one: replace(one, score=0.9) if one.cell.model == "llama-3.3-70b" else one)
    other = LosesAt.greatest(mended, MARGIN)
    assert other is not None and other.model == "deepseek-llm-67b"
    assert claim.evidence(mended).verdict == "contradicted"


def test_what_one_constant_answer_beats_in_table_1(table1: Reading) -> None:
    found = BelowConstant.all_of(table1)
    assert [(claim.model, claim.dataset) for claim in found] == [
        ("llama-3.3-70b", "chemprot"),
        ("deepseek-llm-67b", "ddi2013"),
        ("deepseek-llm-67b", "pubmedqa"),
    ]
    evidence = found[-1].evidence(table1)
    assert evidence.speaks_for == ("No more than the constant answer's 0.552: full 0.166, W8A16 0.146, W4A16 0.118.",)
    better = changed(table1, lambda one: replace(one, score=0.6, constant=0.5))
    assert found[-1].evidence(better).verdict == "contradicted"


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        (Evidence(), "not tested"),
        (Evidence(("a",)), "supported"),
        (Evidence(("a",), (), ("c",)), "partly supported"),
        (Evidence(("a",), ("b",), ("c",)), "mixed"),
        (Evidence((), ("b",)), "contradicted"),
        (Evidence((), ("b",), ("c",)), "partly contradicted"),
        (Evidence((), (), ("c",)), "open"),
        (Evidence(("a",), notes=("d",)), "supported"),
    ],
)
def test_verdicts(evidence: Evidence, verdict: str) -> None:
    assert evidence.verdict == verdict
