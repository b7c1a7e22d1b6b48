"""How much a cell reads and writes, by the configuration alone."""

from quantbench.config import FAMILIES
from quantbench.contracts.cell_name import Cell
from quantbench.planner import cell_work
from quantbench.study.spec import cell_spec


def test_a_zero_shot_cell_has_its_datasets_figures(make) -> None:
    work = cell_work(cell_spec(make(), Cell("phi-4", "full", "hoc", "instruction", 0)))
    assert (work.samples, work.prompt_tokens, work.longest_prompt, work.answer_tokens) == (315, 527, 787, 8)
    assert (work.limit, work.rows) == (50, 1)
    assert (work.batch, work.largest_batch) == (16384 // 577, 16384 // 837)


def test_examples_lengthen_prompts_and_shrink_batches(make) -> None:
    none, ten = (cell_work(cell_spec(make(), Cell("phi-4", "full", "hoc", "instruction", shots))) for shots in (0, 10))
    assert ten.prompt_tokens - none.prompt_tokens == 10 * (527 + 8)
    assert ten.largest_batch < none.largest_batch


def test_single_is_one_sample_at_a_time(make) -> None:
    cell = Cell("phi-4", "full", "hoc", "instruction", 0)
    work = cell_work(cell_spec(make(inference={"engine": "single"}), cell))
    assert (work.batch, work.largest_batch) == (1, 1)


def test_chains_are_rows_and_share_the_budget(make) -> None:
    one = cell_work(cell_spec(make(), Cell("phi-4", "full", "hoc", "cot", 0)))
    five = cell_work(cell_spec(make(), Cell("phi-4", "full", "hoc", "self_consistency", 0)))
    assert (one.rows, five.rows) == (1, 5)
    assert five.largest_batch * 5 <= one.largest_batch + 5
    assert one.answer_tokens == 256, "half of the limit"


def test_a_base_model_goes_on_to_the_limit(make) -> None:
    work = cell_work(cell_spec(make(), Cell("meditron-70b", "full", "medqa", "instruction", 0)))
    assert work.answer_tokens == work.limit > 2


def test_a_thought_comes_on_top_of_the_answer(make) -> None:
    """Half its limit, where the answer is as long as the gold one; with it the longest sequence and the batches change."""
    for prompting, answer in (("instruction", 8), ("cot", 256)):
        plain, thinking = (
            cell_work(cell_spec(make(), Cell(model, "full", "hoc", prompting, 0)))
            for model in ("llama-3.3-70b", "huatuogpt-o1-70b")
        )
        assert (plain.answer_tokens, thinking.answer_tokens) == (answer, 1000 + answer)
        assert thinking.limit == plain.limit + 2000
        assert thinking.largest_batch == 16384 // (770 + thinking.limit) < plain.largest_batch


def test_the_thought_of_a_base_model_goes_on_to_the_limit(make) -> None:
    catalogue = make()
    told = {"reasoning": FAMILIES["think"], "reasoning_tokens": 300}
    catalogue.models["meditron-70b"] = catalogue.models["meditron-70b"].model_copy(update=told)
    work = cell_work(cell_spec(catalogue, Cell("meditron-70b", "full", "hoc", "instruction", 0)))
    assert work.answer_tokens == work.limit == 350


def test_a_limit_on_samples_counts(make) -> None:
    assert cell_work(cell_spec(make(limit=32), Cell("phi-4", "full", "hoc", "instruction", 0))).samples == 32
    assert cell_work(cell_spec(make(limit=10**6), Cell("phi-4", "full", "hoc", "instruction", 0))).samples == 315


def test_the_plan_is_the_engines(make) -> None:
    """A batch of equal prompts holds what the frozen plan gives it."""
    from quantbench.engine.batches import make_plan

    work = cell_work(cell_spec(make(), Cell("phi-4", "full", "hoc", "instruction", 0)))
    plan = make_plan([work.longest_prompt] * 200, work.rows, work.limit, token_budget=16384, max_batch_size=64)
    assert max(map(len, plan)) == work.largest_batch
