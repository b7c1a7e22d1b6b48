"""Peak memory by tracing: a model's own code at full size on shapes alone, every live storage counted; no weights and no GPU.

Nothing is imported here, so that what only plans does not pay for torch.
"""
