"""The batch plan covers every sample once, within its budget, and depends on lengths alone."""

from hypothesis import given
from hypothesis import strategies as st

from quantbench.inference.plan import make_plan, plan_hash

lengths_of_samples = st.lists(st.integers(1, 500), min_size=1, max_size=80)


@given(lengths_of_samples, st.integers(1, 5), st.integers(1, 60), st.integers(50, 4000), st.integers(1, 16))
def test_every_sample_once_and_within_budget(lengths, rows, new_tokens, budget, size) -> None:
    plan = make_plan(lengths, rows, new_tokens, budget, size)
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
