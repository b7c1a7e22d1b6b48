"""The batch plan covers every sample once, within its budget, and depends on lengths alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantbench.engine.batches import make_plan, plan_hash, second_plan

lengths_of_samples = st.lists(st.integers(1, 500), min_size=1, max_size=80)


@pytest.mark.parametrize("make", [make_plan, second_plan])
@given(lengths_of_samples, st.integers(1, 5), st.integers(1, 60), st.integers(50, 4000), st.integers(1, 16))
def test_every_sample_once_and_within_budget(make, lengths, rows, new_tokens, budget, size) -> None:
    plan = make(lengths, rows, new_tokens, budget, size)
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


@given(lengths_of_samples, st.integers(1, 3), st.integers(1, 60), st.integers(50, 4000), st.integers(1, 16))
def test_the_second_plan_is_another_wherever_batches_can_differ(lengths, rows, new_tokens, budget, size) -> None:
    first, second = (make(lengths, rows, new_tokens, budget, size) for make in (make_plan, second_plan))
    shared = {frozenset(batch) for batch in first} == {frozenset(batch) for batch in second}
    assert shared == all(len(batch) == 1 for batch in first)
    assert second == second_plan(lengths, rows, new_tokens, budget, size)


def test_the_second_plan_gives_most_samples_other_neighbours_at_little_padding() -> None:
    lengths = [100 + position // 3 for position in range(960)]
    first, second = (make(lengths, 1, 20, 8192, 64) for make in (make_plan, second_plan))
    beside = [{position: set(batch) - {position} for batch in plan for position in batch} for plan in (first, second)]
    kept = sum(len(beside[0][position] & beside[1][position]) for position in range(960))
    assert kept < 0.7 * sum(len(others) for others in beside[0].values())
    padding = [
        sum(max(lengths[k] for k in batch) - lengths[j] for batch in plan for j in batch) for plan in (first, second)
    ]
    assert padding[1] < 0.05 * sum(lengths)
    assert len(second) <= len(first) + 1


def test_one_batch_is_halved() -> None:
    assert second_plan([5, 9, 7], 1, 10, 10_000, 8) == [[1, 0], [2]]
