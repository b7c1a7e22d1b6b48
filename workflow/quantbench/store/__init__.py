"""Models on disk, without torch: retrieval, lock, folders and their proof, quantized checkpoints, export.

Nothing is imported here, so that checking a folder does not pay for the hub's client.
"""
