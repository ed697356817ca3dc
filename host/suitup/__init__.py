"""suitup: builds, signs, inspects, simulates, serves and pushes SUIT updates for MicroPython boards."""

__version__ = "0.1.0"
