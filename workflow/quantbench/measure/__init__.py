"""Instruments: latency, memory, energy. They know nothing of models beyond a callable to time."""
