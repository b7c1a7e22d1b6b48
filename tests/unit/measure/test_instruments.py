"""Instruments against something known: a sleep, a block of memory, a tensor, a model counted by hand."""

import time
from pathlib import Path

import pytest

from quantbench.config import ModelEntry, PrecisionEntry, read_entries
from quantbench.measure import memory
from quantbench.measure.latency import Timing, time_each

MIB = 1024**2


def test_a_known_sleep_is_timed_within_five_percent() -> None:
    """A sleep takes longer than asked for where others compute, so it is held against how long it really took."""
    calls, waits, slept = [], [], []

    def generate(pause_s: float) -> Timing:
        begin = time.perf_counter()
        calls.append(pause_s)
        time.sleep(pause_s / 2)
        first = time.perf_counter()
        time.sleep(pause_s / 2)
        last = time.perf_counter()
        slept.append((first - begin, last - begin))
        return Timing([first, last], prompt_tokens=7, new_tokens=3)

    items = [("warm", 0.01), ("a", 0.2), ("b", 0.3)]
    found = time_each(items, generate, lambda: waits.append(1), warmup=1)
    assert calls == [0.01, 0.2, 0.3]
    assert len(waits) == 6  # before and after each call
    assert [item.sample_id for item in found] == ["a", "b"]
    for item, (_, pause_s), (first, whole) in zip(found, items[1:], slept[1:], strict=True):
        assert pause_s <= whole <= item.latency_s <= whole * 1.05
        assert pause_s / 2 <= first <= item.first_token_s <= first * 1.05
        assert item.token_times_s[0] == pytest.approx(item.first_token_s, abs=1e-6)
        assert item.first_token_s < item.token_times_s[1] <= item.latency_s
        assert (item.prompt_tokens, item.new_tokens) == (7, 3)


def test_a_known_load_is_seen_by_the_resident_set() -> None:
    memory.start_peak()  # also imports torch, which must not count
    before = memory.resident_bytes()
    block = bytearray(200 * MIB)
    for page in range(0, len(block), 4096):
        block[page] = 1
    held = memory.resident_bytes() - before
    del block
    peak = memory.peak().peak_resident_bytes - before
    assert 195 * MIB < held < 215 * MIB
    assert 195 * MIB < peak < 215 * MIB
    assert memory.resident_bytes() - before < 50 * MIB


def test_a_known_tensors_bytes_are_seen_exactly_on_a_gpu() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no GPU is here")
    torch.empty(1, device="cuda")
    before = memory.after_load()
    block = torch.empty(64 * MIB, dtype=torch.uint8, device="cuda")
    held = memory.after_load()
    assert held.allocated_bytes - before.allocated_bytes == 64 * MIB
    assert held.reserved_bytes >= held.allocated_bytes
    memory.start_peak()
    more = torch.empty(32 * MIB, dtype=torch.uint8, device="cuda")
    del more
    assert memory.peak().peak_allocated_bytes == held.allocated_bytes + 32 * MIB
    assert memory.after_load().allocated_bytes == held.allocated_bytes
    del block


LINEAR = {
    "q": (64, 64),
    "k": (32, 64),
    "v": (32, 64),
    "o": (64, 64),
    "gate": (128, 64),
    "up": (128, 64),
    "down": (64, 128),
}
LAYERS = 2
# In 32 bits at every precision on CPU: tied embeddings, two norms a layer and the last one, rotary frequencies (twice).
UNQUANTIZED = 4 * (300 * 64 + LAYERS * 2 * 64 + 64 + 2 * 16)
BY_HAND = {
    "full": {"weights": 4.0, "a_row": 0, "a_layer": 0},
    "w8a16": {"weights": 1.0, "a_row": 4, "a_layer": 0},  # a 32-bit scale a row
    # Half a byte; an 8-bit scale for 64 weights, one of 32 bits for 256 of these (at least one); tables of 16 and 256
    # 32-bit values and an offset for each matrix.
    "w4a16": {"weights": 0.5 + 1 / 64, "a_row": 0, "a_layer": 4 + 4 * (16 + 256) + 4},
}


@pytest.mark.parametrize("name", list(BY_HAND))
def test_a_models_bytes_are_those_counted_by_hand(name: str, repository: Path, random_model: ModelEntry) -> None:
    from quantbench.models.loading import load_model
    from quantbench.models.tokenizing import load_tokenizer
    from quantbench.models.weight_sizes import weight_bytes

    folder = Path(str(random_model.folder))
    precision = read_entries(repository / "config/precisions", PrecisionEntry)[name]
    loaded = load_model(folder, random_model, precision, load_tokenizer(folder), "cpu")
    each = BY_HAND[name]
    linear = sum(
        rows * columns * each["weights"] + rows * each["a_row"] + each["a_layer"] for rows, columns in LINEAR.values()
    )
    assert weight_bytes(loaded.model) == UNQUANTIZED + LAYERS * linear
