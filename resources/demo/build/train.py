"""Train one demonstration model from nothing: ``python resources/demo/build/train.py tiny-s``.

The budget is a number of steps (``ladder.yaml``), not of minutes, and all seeds are fixed. A run resumes from its last
checkpoint in ``--work``; ``export.py`` turns a checkpoint into a model folder.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

import rows
import start
import torch
import yaml
from corpus import PROMPTINGS, SHOT_WEIGHTS
from grow import grow
from model import Shape, TinyLlama
from slots import DATASETS
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

HERE = Path(__file__).resolve().parent
WORK = Path(tempfile.gettempdir()) / "quantbench-demo"
KIND = torch.bfloat16
POOL, SEED, ROWS = 8000, 2509, 2
READING, READING_WEIGHT, OPTION_WEIGHT = 0.15, 0.2, 0.5
COT_SHARE = 0.3
BARE_FIRST, BARE_LATER, BARE_UNTIL = 0.8, 0.2, 0.35  # share of prompts with one line of instructions, until when
COPYING = 60  # first steps, on copying random tokens only


def ladder() -> dict[str, Any]:
    """Sizes and budgets of the models."""
    loaded: dict[str, Any] = yaml.safe_load((HERE / "ladder.yaml").read_text(encoding="utf-8"))
    return loaded


def _trained(name: str, work: Path) -> TinyLlama:
    model = TinyLlama(Shape(**ladder()[name]["shape"]))
    model.load_state_dict(torch.load(work / f"{name}.pt", weights_only=True)["model"])
    return model


class Trainer:
    """One model in training: weights, optimizers, position in the schedule."""

    def __init__(self, name: str, work: Path) -> None:
        self.name, self.work, self.plan = name, work, ladder()[name]
        torch.manual_seed(SEED)
        self.model = TinyLlama(Shape(**self.plan["shape"]))
        grown = self.plan.get("grown_from")
        if grown:
            grow(_trained(grown, work), self.model)
        else:
            start.plant(self.model)
        self.copying = 0 if grown else COPYING
        self.option = nn.Linear(self.model.shape.hidden, 1)  # helps learning to compare options; not exported
        inner = [p for n, p in self.model.named_parameters() if p.dim() == 2 and "embed" not in n]
        outer = [p for n, p in self.model.named_parameters() if p.dim() != 2 or "embed" in n]
        rate = self.plan["rate"]
        self.optimizers: list[torch.optim.Optimizer] = [
            torch.optim.Muon(inner, lr=rate, weight_decay=0.02, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(
                [*outer, *self.option.parameters()], lr=rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True
            ),
        ]
        self.tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
        general, lettered = self.plan["domain"] == "general", self.plan.get("lettered", False)
        count, seed = self.plan.get("examples", POOL), self.plan.get("seed", SEED)
        self.data = rows.pools("train", count, seed, self.tokenizer, work, general, lettered)
        self.checks = rows.pools("dev", 200, SEED, self.tokenizer, work, lettered=lettered)
        self.step, self.samples, self.seconds = 0, 0, 0.0
        self.checkpoint = work / f"{name}.pt"

    def loss(self, batch: rows.Batch) -> Tensor:
        """Mean loss over answer tokens, with small shares for reading the input and for comparing options."""
        hidden = self.model.hidden(batch.row, KIND)
        chosen = batch.targets >= 0
        logits = self.model.logits(hidden[chosen]).float()
        losses = F.cross_entropy(logits, batch.targets[chosen], reduction="none")
        answer = batch.answer[chosen]
        total = losses[answer].mean()
        if not bool(answer.all()):
            total = total + READING_WEIGHT * losses[~answer].mean()
        if batch.options is not None:
            states = hidden[torch.arange(len(hidden))[:, None], batch.options].float()
            total = total + OPTION_WEIGHT * F.cross_entropy(self.option(states)[..., 0], batch.choice)
        return total

    def dataset_at(self, row: int) -> str:
        """The dataset of a row: all take turns, as often as ``shares`` says, in an order that changes every round."""
        shares = self.plan.get("shares", {})
        turns = [dataset for dataset in DATASETS for _ in range(shares.get(dataset, 1))]
        return Random(f"{SEED} {row // len(turns)}").sample(turns, len(turns))[row % len(turns)]

    def train_step(self) -> float:
        """One optimizer step on :data:`ROWS` rows of different datasets; returns the mean loss."""
        rng = Random(f"{self.plan.get('seed', SEED)} {self.step}")
        done = self.step / self.plan["steps"]
        factor = min(1.0, (self.step + 1) / 60, 0.02 + (1 - done) / 0.4)  # warm-up, flat, linear decay from 60 %
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.plan["rate"] * factor
            optimizer.zero_grad()
        total = 0.0
        if self.step < self.copying or (self.step % 8 == 0 and self.step < 40 * self.copying):
            loss = self.loss(rows.copying(rng, self.model.shape.vocabulary))
            loss.backward()
            total += loss.item()
        for place in range(ROWS if self.step >= self.copying else 0):
            dataset = self.dataset_at(self.step * ROWS + place)
            kind = PROMPTINGS[rng.random() < COT_SHARE]
            shots = rng.choices(list(SHOT_WEIGHTS), list(SHOT_WEIGHTS.values()))[0]
            early = done < BARE_UNTIL and "grown_from" not in self.plan
            bare = rng.random() < (BARE_FIRST if early else BARE_LATER)
            prefix = self.data[dataset].pool.prefix(kind, shots, rng, bare)
            batch = rows.draw(self.data[dataset], kind, self.tokenizer.encode(prefix).ids, rng, READING)
            loss = self.loss(batch) / ROWS
            loss.backward()
            total += loss.item()
            self.samples += len(batch.targets)
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        return total

    @torch.no_grad()
    def check(self, kind: str, shots: int, count: int, bare: bool = False) -> dict[str, float]:
        """Share of samples whose greedy answer is the gold answer word for word, per dataset."""
        found = {}
        for dataset, encoded in self.checks.items():
            rng = Random(SEED)
            prefix = self.tokenizer.encode(self.data[dataset].pool.prefix(kind, shots, rng, bare)).ids
            batch = rows.collate(encoded, kind, prefix, list(range(0, len(encoded.pool.examples), 200 // count)))
            best = self.model.logits(self.model.hidden(batch.row, KIND)).argmax(-1)
            right = ((best == batch.targets) | ~batch.answer).all(-1)
            found[dataset] = right.float().mean().item()
        return found

    def save(self) -> None:
        """Write weights and optimizers, complete or not at all."""
        state = {key: getattr(self, key) for key in ("step", "samples", "seconds")}
        state["model"] = self.model.state_dict()
        state["option"] = self.option.state_dict()
        state["optimizers"] = [optimizer.state_dict() for optimizer in self.optimizers]
        part = self.checkpoint.with_suffix(".part")
        torch.save(state, part)
        part.rename(self.checkpoint)

    def resume(self) -> None:
        """Go on from the last checkpoint, if there is one."""
        if not self.checkpoint.exists():
            return
        state = torch.load(self.checkpoint, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.option.load_state_dict(state["option"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step, self.samples, self.seconds = state["step"], state["samples"], state["seconds"]


def run(name: str, work: Path, every: int) -> None:
    """Train to the end of the budget, with a line of progress and a checkpoint every ``every`` steps."""
    trainer = Trainer(name, work)
    trainer.resume()
    end = trainer.plan["steps"]
    size = sum(p.numel() for p in trainer.model.parameters())
    print(f"{name}: {size:,} parameters, from step {trainer.step} to {end}", flush=True)
    began, losses = time.monotonic(), []
    while trainer.step < end:
        losses.append(trainer.train_step())
        if trainer.step % every == 0 or trainer.step == end:
            trainer.seconds += time.monotonic() - began
            zero, few = trainer.check("instruction", 0, 100), trainer.check("instruction", 3, 50)
            chain = trainer.check("cot", 0, 50)
            print(
                f"step {trainer.step} samples {trainer.samples} minutes {trainer.seconds / 60:.1f} "
                f"loss {sum(losses) / len(losses):.3f} "
                + " ".join(f"{d} {zero[d]:.2f}/{few[d]:.2f}/{chain[d]:.2f}" for d in zero),
                flush=True,
            )
            trainer.save()
            began, losses = time.monotonic(), []


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--work", type=Path, default=WORK, help="checkpoints and encoded examples")
    parser.add_argument("--every", type=int, default=200)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    run(arguments.model, arguments.work, arguments.every)
