"""The batch plan covers every sample once, within its budget, and depends on lengths alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantbench.engine.batches import make_plan, plan_hash

lengths_of_samples = st.lists(st.integers(1, 500), min_size=1, max_size=80)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@given(lengths_of_samples, st.integers(1, 5), st.integers(1, 60), st.integers(50, 4000), st.integers(1, 16))
def test_every_sample_once_and_within_budget(number, lengths, rows, new_tokens, budget, size) -> None:
    plan = make_plan(lengths, rows, new_tokens, budget, size, number)
    assert sorted(position for batch in plan for position in batch) == list(range(len(lengths)))
    for batch in plan:
        width = max(lengths[position] for position in batch) + new_tokens
        assert len(batch) <= size
        assert len(batch) == 1 or len(batch) * rows * width <= budget


@given(lengths_of_samples)
def test_batches_run_from_long_to_short(lengths) -> None:
    plan = make_plan(lengths, 1, 10, 1000, 8)
    flat = [lengths[position] for batch in plan for position in batch]
    assert flat == sorted(lengths, reverse=True)


def test_batch_size_one_is_the_engine_single() -> None:
    assert make_plan([5, 9, 7], 1, 10, 10_000, 1) == [[1], [2], [0]]


def test_the_hash_speaks_of_samples_not_positions() -> None:
    plan = make_plan([5, 9, 7], 1, 10, 10_000, 2)
    assert plan_hash(plan, ["a", "b", "c"]) == plan_hash(plan, ["a", "b", "c"])
    assert plan_hash(plan, ["a", "b", "c"]) != plan_hash(plan, ["a", "c", "b"])
    assert plan_hash(plan, ["a", "b", "c"]) != plan_hash([[1], [2], [0]], ["a", "b", "c"])


def neighbours(plan) -> dict[int, set[int]]:
    return {position: set(batch) - {position} for batch in plan for position in batch}


def padding(plan, lengths) -> int:
    return sum(max(lengths[k] for k in batch) - lengths[j] for batch in plan for j in batch)


@pytest.mark.parametrize("number", [2, 3, 4])
@given(lengths_of_samples, st.integers(1, 3), st.integers(1, 60), st.integers(50, 4000), st.integers(1, 16))
def test_a_further_plan_is_another_wherever_batches_can_differ(number, lengths, rows, new_tokens, budget, size) -> None:
    first, other = (make_plan(lengths, rows, new_tokens, budget, size, plan) for plan in (1, number))
    shared = {frozenset(batch) for batch in first} == {frozenset(batch) for batch in other}
    assert shared == all(len(batch) == 1 for batch in first)
    assert other == make_plan(lengths, rows, new_tokens, budget, size, number)


@pytest.mark.parametrize(("one", "other"), [(1, 2), (1, 3), (2, 3)])
def test_further_plans_give_most_samples_other_neighbours_at_little_padding(one, other) -> None:
    lengths = [100 + position // 3 for position in range(960)]
    plans = [make_plan(lengths, 1, 20, 8192, 64, number) for number in (one, other)]
    beside = [neighbours(plan) for plan in plans]
    kept = sum(len(beside[0][position] & beside[1][position]) for position in range(960))
    assert kept < 0.7 * sum(len(others) for others in beside[0].values())
    assert padding(plans[1], lengths) < 0.06 * sum(lengths)
    assert len(plans[1]) <= len(make_plan(lengths, 1, 20, 8192, 64)) + 1


def test_the_second_plan_is_that_of_earlier_versions() -> None:
    lengths = [100 + position // 3 for position in range(960)]
    ids = [str(position) for position in range(960)]
    recorded = "0c55bd77d07ead44454a7b0917dc67036e63e887e062051dfd8e38638270a14c"
    assert plan_hash(make_plan(lengths, 1, 20, 8192, 64, 2), ids) == recorded


def test_one_batch_is_cut_into_as_many_as_the_plans_number() -> None:
    assert make_plan([5, 9, 7], 1, 10, 10_000, 8, 2) == [[1, 0], [2]]
    assert make_plan([5, 9, 7], 1, 10, 10_000, 8, 3) == [[1], [2], [0]]
