"""The checks of a first run on a GPU: the parts of the command ``benchmarks/gpu_check.py``."""
