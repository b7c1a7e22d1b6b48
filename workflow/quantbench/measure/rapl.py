"""RAPL: the energy counters of Intel and AMD processors in the kernel's powercap tree.

Source: Linux ``Documentation/power/powercap/powercap.rst``. Each domain is a folder with ``name``, ``energy_uj``
(microjoules, readable by root alone since 2020) and ``max_energy_range_uj``, beyond which the counter starts again.
"""

from __future__ import annotations

from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


class RaplCounter:
    """The counters of all processor packages and of memory where it has one of its own.

    A package's counter includes its cores; a ``psys`` domain includes everything: neither is added twice.

    Raises:
        OSError: no domain, or its counter may not be read; the message says which.
    """

    source = "rapl"

    def __init__(self, powercap: Path = POWERCAP) -> None:
        domains = [folder for folder in sorted(powercap.glob("intel-rapl:*")) if _counted(folder)]
        if not domains:
            raise OSError(f"no processor energy counter ({powercap}/intel-rapl:* is missing)")
        self._files = [folder / "energy_uj" for folder in domains]
        self.ranges_uj: list[int | None] = [int((folder / "max_energy_range_uj").read_text()) for folder in domains]
        self.read_uj()

    def read_uj(self) -> list[int]:
        """See :class:`quantbench.measure.energy.Counter`."""
        try:
            return [int(path.read_text()) for path in self._files]
        except PermissionError as error:
            raise PermissionError(
                f"{error.filename} may not be read; an administrator can allow it (chmod a+r)"
            ) from None

    def idle_power_w(self) -> float | None:
        """Unknown: a processor is never idle while Snakemake and other jobs run."""
        return None


def _counted(folder: Path) -> bool:
    try:
        name = (folder / "name").read_text().strip()
    except OSError:
        return False
    return name.startswith("package") or name == "dram"
