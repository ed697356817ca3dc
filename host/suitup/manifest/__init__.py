"""Manifests: model, templates, text, lint and verdicts. Numbers and names follow suit-manifest-37."""

from suitup.manifest.model import (
    Command,
    Digest,
    Envelope,
    Manifest,
    Sequence,
    StructureError,
    Text,
    seal,
)

__all__ = [
    "Command",
    "Digest",
    "Envelope",
    "Manifest",
    "Sequence",
    "StructureError",
    "Text",
    "seal",
]
