from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, norm, skew
from scipy.stats import t as student
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from quantbench.errors import DataError
from quantbench.statistics import Bootstrap, Comparison, compare, holm, holm_by_family, mcnemar_exact, verdict
from quantbench.statistics.bootstrap import resampled_sums
from quantbench.statistics.paired import lost_and_gained
from quantbench.tasks.metrics import METRICS


def accuracy_counts(right: np.ndarray) -> np.ndarray:
    counts = np.zeros((len(right), 1, 3), dtype=np.int64)
    counts[:, 0, 0], counts[:, 0, 2] = right, ~right
    return counts


def compared(reference: np.ndarray, other: np.ndarray, resamples: int = 400, seed: int = 1) -> Comparison:
    groups = [str(row) for row in range(len(reference))]
    return compare(
        accuracy_counts(reference),
        accuracy_counts(other),
        groups,
        METRICS["accuracy"],
        Bootstrap(resamples, seed, 0.95),
    )


def changed(n: int, lost: int, gained: int, right: int) -> tuple[np.ndarray, np.ndarray]:
    """``n`` answers, ``right`` of them right at first, then so many lost and gained."""
    reference = np.arange(n) < right
    other = reference.copy()
    other[:lost] = False
    other[right : right + gained] = True
    return reference, other


def test_the_difference_is_the_plain_one() -> None:
    assert compared(*changed(200, lost=9, gained=2, right=120)).difference == pytest.approx(-7 / 200)


def test_the_paired_interval_agrees_with_bonett_and_price() -> None:
    """Their adjusted Wald interval: p = (count + 1) / (n + 2), p - q +- z sqrt((p + q - (p - q)^2) / (n + 2))."""
    n, lost, gained = 300, 20, 8
    p, q = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    reach = 1.959964 * np.sqrt((p + q - (p - q) ** 2) / (n + 2))
    found = compared(*changed(n, lost, gained, right=200), resamples=8000)
    assert (found.low, found.high) == pytest.approx((p - q - reach, p - q + reach), abs=0.004)


def test_pairing_narrows_the_interval() -> None:
    """Two cells with accuracy 0.6 that agree on nearly everything differ by far less than two unrelated ones."""
    reference, other = changed(400, lost=4, gained=4, right=240)
    unrelated = np.random.default_rng(0).permutation(other)
    paired, unpaired = compared(reference, other), compared(reference, unrelated)
    assert paired.high - paired.low < 0.35 * (unpaired.high - unpaired.low)


def test_no_flip_among_few_samples_preserves_nothing() -> None:
    few, many = (compared(*changed(n, 0, 0, right=n // 2), resamples=2000) for n in (100, 2000))
    assert verdict(few.low, few.high, 0.01) == "inconclusive"
    assert verdict(many.low, many.high, 0.01) == "preserved"
    assert few.smallest_detectable > 0.01 > many.smallest_detectable


def test_twice_the_same_documents_double_what_is_known_of_none() -> None:
    reference, other = changed(100, lost=10, gained=5, right=60)
    counts = [accuracy_counts(np.repeat(side, 5)) for side in (reference, other)]
    clustered = compare(
        counts[0], counts[1], [str(row // 5) for row in range(500)], METRICS["accuracy"], Bootstrap(4000, 1, 0.95)
    )
    single = compared(reference, other, resamples=4000)
    assert clustered.high - clustered.low == pytest.approx(single.high - single.low, rel=0.1)


def test_without_a_flip_the_documents_count_and_not_their_samples() -> None:
    """Thirty documents of fifty samples know no more of what was not seen than thirty samples do."""
    reference, other = changed(1500, 0, 0, right=900)
    groups = [str(row // 50) for row in range(1500)]
    of_documents = compare(
        accuracy_counts(reference), accuracy_counts(other), groups, METRICS["accuracy"], Bootstrap(4000, 1, 0.95)
    )
    single = compared(*changed(30, 0, 0, right=18), resamples=4000)
    assert (of_documents.low, of_documents.high) == pytest.approx((single.low, single.high), abs=0.01)
    assert of_documents.low < -0.06  # the rule of three: -3/30, and the documents that joined


def test_where_documents_change_whole_preserved_is_rare() -> None:
    """Each of 25 documents of ten samples is lost with probability 0.05, the margin, which 28 in 100 times none is."""
    preserved = 0
    for seed in range(300):
        random = np.random.default_rng([seed, 25])
        reference = np.ones(250, dtype=bool)
        other = np.repeat(random.random(25) >= 0.05, 10)
        groups = [str(row // 10) for row in range(250)]
        found = compare(
            accuracy_counts(reference), accuracy_counts(other), groups, METRICS["accuracy"], Bootstrap(300, seed, 0.95)
        )
        preserved += verdict(found.low, found.high, 0.05) == "preserved"
    assert preserved <= 0.05 * 300


def test_documents_that_change_in_part_are_not_taken_to_change_whole() -> None:
    """A tenth of each document's answers changed: what joins the pool is little more than such a document."""
    random = np.random.default_rng(4)
    reference = random.random(3000) < 0.6
    other = np.where(random.random(3000) < 0.1, ~reference, reference)
    groups = [str(row // 30) for row in range(3000)]
    found = compare(
        accuracy_counts(reference), accuracy_counts(other), groups, METRICS["accuracy"], Bootstrap(2000, 1, 0.95)
    )
    alone = compared(reference, other, resamples=2000)
    assert found.high - found.low < 1.25 * (alone.high - alone.low)


def test_a_few_documents_that_decide_widen_the_interval() -> None:
    """Of 100 documents five hold most samples: the spread of the difference is known from little more than these."""
    random = np.random.default_rng(2)
    sizes = np.array([200] * 5 + [2] * 95)
    reference = random.random(sizes.sum()) < 0.6
    other = np.where(random.random(sizes.sum()) < 0.2, random.random(sizes.sum()) < 0.6, reference)
    groups = [str(document) for document, size in enumerate(sizes) for _ in range(size)]
    found = compare(
        accuracy_counts(reference), accuracy_counts(other), groups, METRICS["accuracy"], Bootstrap(4000, 1, 0.95)
    )
    assert (found.high - found.low) / 2 > 1.1 * found.smallest_detectable / 2.8016 * 1.96


def test_a_skewed_interval_reaches_further_on_the_side_of_its_tail() -> None:
    """Of 80 answers twelve are lost and none is gained: the ends by Student's quantile and the skewness that scipy finds."""
    reference, other = changed(80, lost=12, gained=0, right=60)
    found = compared(reference, other, resamples=20000)
    pair = np.stack([accuracy_counts(reference), accuracy_counts(other)], axis=1).astype(np.float64)
    rows = np.concatenate([pair, lost_and_gained(pair)])
    sums = resampled_sums(rows, Bootstrap(20000, 1, 0.95))
    differences = (sums[:, 1, 0, 0] - sums[:, 0, 0, 0]) / sums[:, 0].sum(axis=(1, 2))
    of_sum = skew(other.astype(float) - reference) / np.sqrt(80)
    assert of_sum < -0.2 and found.degrees == 79
    z, stretched = norm.ppf(0.975), np.sqrt(80 / 79) * student.ppf(0.975, 79)
    low = np.quantile(differences, norm.cdf(-stretched * (1 - of_sum * (z + 2 / z) / 6)))
    # A jackknife's contributions are those of an answer less than it is worth by one in 80.
    assert found.low == pytest.approx(low, abs=1 / 160)
    assert found.low < np.quantile(differences, norm.cdf(-stretched)) - 0.005
    assert found.high == pytest.approx(np.quantile(differences, norm.cdf(stretched)), abs=1e-9)


def test_an_interval_and_its_mirror_image_are_mirrored() -> None:
    """Which of two cells is called the reference changes the sign and nothing else."""
    reference, other = changed(300, lost=14, gained=3, right=200)
    there, back = compared(reference, other, resamples=20000), compared(other, reference, resamples=20000)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=1 / 300)


def test_long_documents_limit_the_degrees_of_freedom_also_where_they_did_not_change() -> None:
    """Two of 50 documents hold most samples and keep their answers, as in another sample of documents they might not."""
    sizes = np.array([200, 100] + [4] * 48)
    document = np.repeat(np.arange(50), sizes)
    reference = np.ones(sizes.sum(), dtype=bool)
    other = reference & ~((document >= 30) & (np.diff(document, prepend=-1) > 0))
    groups = [str(name) for name in document]
    found = compare(
        accuracy_counts(reference), accuracy_counts(other), groups, METRICS["accuracy"], Bootstrap(300, 1, 0.95)
    )
    squares = sizes.astype(float) ** 2
    assert found.degrees == int(squares.sum() ** 2 / (squares**2).sum()) == 1
    alike = compared(*changed(50, lost=20, gained=0, right=50))
    assert alike.degrees == 49


def test_losses_that_gather_in_few_of_very_unequal_documents_are_not_called_preserved() -> None:
    """Sizes as uneven as those of DDI2013's documents; of the answers .03, the margin, are lost, most in few documents.

    Nothing is gained, so that the difference is as skewed as it can be: by Student's t alone 10 of 100 would be called preserved.
    """
    preserved, studies = 0, 600
    for seed in range(studies):
        random = np.random.default_rng([seed, 31])
        sizes = np.ceil(random.lognormal(2.3, 1.3, 150)).astype(int)
        document = np.repeat(np.arange(150), sizes)
        other = random.random(len(document)) >= random.beta(0.12, 3.88, 150)[document]
        found = compare(
            accuracy_counts(np.ones(len(document), dtype=bool)),
            accuracy_counts(other),
            [str(name) for name in document],
            METRICS["accuracy"],
            Bootstrap(400, seed, 0.95),
        )
        preserved += verdict(found.low, found.high, 0.03) in ("preserved", "improved")
    assert preserved <= 0.07 * studies


def test_the_supported_margin_is_where_preserved_begins() -> None:
    found = compared(*changed(400, lost=12, gained=9, right=250), resamples=2000)
    assert verdict(found.low, found.high, found.supported_margin) == "inconclusive"
    assert verdict(found.low, found.high, found.supported_margin * 1.0001) == "preserved"
    gained = compared(*changed(400, lost=0, gained=40, right=250))
    assert gained.low > 0 and gained.supported_margin == 0


def test_with_the_samples_needed_preserved_has_its_power() -> None:
    """400 samples of which a tenth changed say how many are needed for a margin of 0.03; so many are preserved 4 times in 5."""
    needed = compared(*changed(400, lost=20, gained=20, right=250), resamples=2000).units_needed(0.03)
    assert 800 < needed < 1000
    preserved = sum(_trial(needed, 0.05, 0.05, 0.03, seed) in ("preserved", "improved") for seed in range(200))
    assert 0.7 <= preserved / 200 <= 0.9


def test_f1_differences_are_of_the_metric_itself() -> None:
    reference = np.array([[[1, 0, 0], [0, 0, 0]], [[0, 0, 0], [1, 0, 0]]] * 30)
    other = np.array([[[1, 0, 0], [0, 0, 0]], [[0, 1, 0], [0, 0, 1]]] * 30)
    found = compare(reference, other, [str(row) for row in range(60)], METRICS["macro_f1"], Bootstrap(200, 1, 0.95))
    assert found.difference == pytest.approx((2 / 3 + 0) / 2 - 1)
    assert found.low <= found.difference <= found.high < 0


def test_cells_of_other_samples_are_refused() -> None:
    counts = np.zeros((3, 1, 3), dtype=np.int64)
    with pytest.raises(DataError, match=r"shapes \(3, 1, 3\) and \(3, 2, 3\)"):
        compare(
            counts, np.zeros((3, 2, 3), dtype=np.int64), ["a", "b", "c"], METRICS["entity_f1"], Bootstrap(10, 0, 0.95)
        )


@pytest.mark.parametrize(("lost", "gained"), [(0, 3), (1, 9), (12, 5), (40, 41)])
def test_mcnemar_agrees_with_statsmodels(lost: int, gained: int) -> None:
    table = np.array([[50, lost], [gained, 20]])
    assert mcnemar_exact(lost, gained) == pytest.approx(min(1.0, mcnemar(table, exact=True).pvalue))


def test_mcnemar_by_hand() -> None:
    assert mcnemar_exact(1, 9) == pytest.approx(2 * (1 + 10) / 2**10)
    assert mcnemar_exact(0, 0) == 1.0


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_each_family_is_corrected_for_its_own_tests() -> None:
    p_values, families = [0.01, 0.2, 0.04, 0.03, 0.005], ["a", None, "a", "a", "a"]
    assert holm_by_family(p_values, families) == pytest.approx([0.03, 0.2, 0.06, 0.06, 0.02])
    assert holm_by_family([], []) == []


def test_holm_agrees_with_statsmodels() -> None:
    p_values = [*np.random.default_rng(3).random(40) ** 3, 0.2, 0.2, 1.0]
    assert holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]))


def test_mcnemar_of_a_large_test_set_agrees_with_scipy() -> None:
    assert mcnemar_exact(4100, 4283) == pytest.approx(binomtest(4100, 8383, 0.5).pvalue)
    assert mcnemar_exact(9000, 0) == pytest.approx(0, abs=1e-300)


@pytest.mark.parametrize(("n", "flips"), [(100, 0.02), (300, 0.1)])
def test_where_nothing_is_lost_degraded_is_rare(n: int, flips: float) -> None:
    """Answers flip either way alike: at most 5% may be called degraded, with no margin to hide behind."""
    degraded = sum(_trial(n, flips / 2, flips / 2, margin=1e-9, seed=seed) == "degraded" for seed in range(400))
    assert degraded <= 0.05 * 400


def test_where_nothing_is_lost_degraded_is_rare_for_macro_f1_over_documents() -> None:
    """Both cells draw a tenth of the same model's answers anew, rare classes and documents of three included."""
    degraded = 0
    for seed in range(300):
        random = np.random.default_rng([seed, 17])
        golds = random.choice(4, 300, p=[0.7, 0.15, 0.1, 0.05])
        skill = np.repeat(random.beta(4, 2, 100), 3)
        answers = [np.where(random.random(300) < skill, golds, random.integers(0, 4, 300)) for _ in range(3)]
        cells = [np.where(random.random(300) < 0.1, again, answers[0]) for again in answers[1:]]
        reference, other = (class_counts(golds, cell) for cell in cells)
        groups = [str(row // 3) for row in range(300)]
        found = compare(reference, other, groups, METRICS["macro_f1"], Bootstrap(200, seed, 0.95))
        degraded += verdict(found.low, found.high, margin=1e-9) == "degraded"
    assert degraded <= 0.05 * 300


def class_counts(golds: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Counts of one class out of four, shape (n, 4, 3)."""
    labels = np.arange(4)
    gold, answer = golds[:, None] == labels, answers[:, None] == labels
    return np.stack([gold & answer, ~gold & answer, gold & ~answer], axis=-1).astype(np.int64)


@pytest.mark.parametrize(("n", "margin", "flips"), [(150, 0.01, 0.01), (400, 0.02, 0.02), (400, 0.02, 0.1)])
def test_where_the_margin_is_lost_preserved_is_rare(n: int, margin: float, flips: float) -> None:
    """The true loss is the margin: at most 5% may be called preserved, also where hardly any answer flips."""
    lost, gained = (flips + margin) / 2, (flips - margin) / 2
    preserved = sum(_trial(n, lost, gained, margin, seed) == "preserved" for seed in range(400))
    assert preserved <= 0.05 * 400


def test_a_smallest_detectable_loss_is_detected_four_times_in_five() -> None:
    """At the stated smallest effect the interval excludes 0 in about 80% of simulated test sets."""
    n, flips = 600, 0.1
    stated = compared(*changed(n, 30, 30, right=400)).smallest_detectable
    lost, gained = (flips + stated) / 2, (flips - stated) / 2
    found = sum(_trial(n, lost, gained, margin=1e-9, seed=seed) == "degraded" for seed in range(300))
    assert 0.72 <= found / 300 <= 0.88


def _trial(n: int, lost: float, gained: float, margin: float, seed: int) -> str:
    """The verdict on one simulated pair; ``lost`` and ``gained`` are shares of all samples."""
    random = np.random.default_rng([seed, n])
    kind = random.choice(4, size=n, p=[0.6 - lost, 0.4 - gained, lost, gained])
    found = compared((kind == 0) | (kind == 2), (kind == 0) | (kind == 3), resamples=300, seed=seed)
    return verdict(found.low, found.high, margin)
