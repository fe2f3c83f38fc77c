# Copyright (c) onestage_pose contributors.
"""What a request may ask for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ServerLimits:
    """Limits of a request; what exceeds them is refused.

    Attributes:
        max_bytes (int): Largest size of a request's body, and of an image at an
            address.
        max_pixels (int): Largest number of pixels of an image, by its header.
        max_waiting (int): Largest number of waiting requests; further ones get status
            503.
        body_timeout (float): Seconds that a body may take to arrive, or an address to
            be read.
        timeout (float): Seconds until a request gives up waiting for the model.
    """

    max_bytes: int = 32 * 2**20
    max_pixels: int = 50_000_000
    max_waiting: int = 64
    body_timeout: float = 30.0
    timeout: float = 60.0
