"""Models in memory: loading at a precision, quantizing, random weights. Needs torch."""
