"""A whole study's answers drawn from a model of them, in which it is known what quantization costs (benchmarks/null_study.py)."""
