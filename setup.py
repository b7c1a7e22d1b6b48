"""Building only: an installed package brings a copy of the catalogue and the workflow, as ``quantbench/_catalogue``.

Everything else stands in pyproject.toml. An editable installation needs no copy: it finds the checkout.
"""

from pathlib import Path
from shutil import copytree, ignore_patterns

from setuptools import setup
from setuptools.command.build_py import build_py

RESOURCES = ("resources/documents", "resources/paper", "resources/published")
CATALOGUE = ("config", *RESOURCES, "envs", "workflow/rules", "workflow/scripts", "workflow/report")
FILES = ("workflow/Snakefile",)


class BuildWithCatalogue(build_py):
    """Copies the catalogue beside the modules, at the places it has in a checkout."""

    def run(self) -> None:
        """Build, then copy."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "quantbench/_catalogue"
        for folder in CATALOGUE:
            copytree(folder, target / folder, dirs_exist_ok=True, ignore=ignore_patterns("__pycache__", "*.pyc"))
        for file in FILES:
            if Path(file).exists():
                (target / file).write_bytes(Path(file).read_bytes())


setup(cmdclass={"build_py": BuildWithCatalogue})
