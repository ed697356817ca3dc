"""What a device stores: app images, checked firmware images, encrypted payloads."""

from suitup.images.app import AppImage, build, load
from suitup.images.romfs import ImageError

__all__ = ["AppImage", "ImageError", "build", "load"]
