"""Commands run as in the analysis environment: what it lacks is refused, and so is the network."""

from __future__ import annotations

import re
import sys
from pathlib import Path

_REFUSED = """
import socket, sys
REFUSED = {refused!r}
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in REFUSED:
            raise ModuleNotFoundError(f"{{name}} is not in requirements/analysis.txt", name=name)
sys.meta_path.insert(0, Refuse())
def refuse(self, address, *rest):
    raise OSError(f"network is refused: {{address}}")
socket.socket.connect = socket.socket.connect_ex = refuse
"""


def lean_path(repository: Path, folder: Path) -> str:
    """A value for ``PYTHONPATH`` under which Python imports nothing that only inference or tests need."""
    imports = {"scikit-learn": "sklearn", "nvidia-ml-py": "pynvml", "axe-playwright-python": "axe_playwright_python"}
    refused = {"scipy"}
    for name in ("inference", "dev"):
        pins = re.findall(r"^([\w-]+)==", (repository / f"requirements/{name}.txt").read_text(), re.MULTILINE)
        # Snakemake brings psutil itself, and looks into every plugin of its own that is installed.
        pins = [pin for pin in pins if pin != "psutil" and not pin.startswith("snakemake-")]
        refused |= {imports.get(pin, pin.replace("-", "_")) for pin in pins}
    assert "torch" in refused and sys.executable
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(_REFUSED.format(refused=refused))
    return str(folder)
