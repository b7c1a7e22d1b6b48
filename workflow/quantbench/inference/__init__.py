"""Running one cell: prompts, batch plan, generation, progress that survives a killed job, manifest.

Nothing is imported here: :mod:`quantbench.inference.identity` must stay free of torch, since the workflow reads it.
"""
