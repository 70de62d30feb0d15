"""Build, benchmark and train medical language models for many languages."""

__version__ = "0.1.0"
