"""What does quantizing a language model cost and save on biomedical text? The package behind the workflow."""

__version__ = "0.2.0"
