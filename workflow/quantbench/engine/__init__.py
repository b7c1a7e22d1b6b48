"""Generation behind one door: batches, shared prefix, cache, stopping, sampling; the engines ``single``, ``static`` and ``continuous``.

Nothing is imported here, so that what plans batches does not pay for torch.
"""
