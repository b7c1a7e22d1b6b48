from __future__ import annotations

from pathlib import Path

import pytest
from tests.bundled_run import make_run
from tests.simulated_run import Run


@pytest.fixture(scope="package")
def run(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(repository, tmp_path_factory.mktemp("run"))
