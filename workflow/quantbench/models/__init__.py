"""Models on disk and in memory: retrieval, folder checks, loading at a precision.

Nothing is imported here, so that checking a folder does not pay for importing torch.
"""
