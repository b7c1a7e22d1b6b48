"""What one device does with each model and precision: the parts of the command ``benchmarks/gpu.py``."""
