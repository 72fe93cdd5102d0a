"""What an engine computes with: weights in a precision, and fp32's once fp16 has overflowed."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Arithmetic:
    """A model and the precision of its weights."""

    model: Any
    """Maps the inputs of the checkpoint's family (`stt.engines.families.base.Input`) to logits; on
    the device."""
    precision: str
    """``fp32``, ``bf16`` or ``fp16``."""


class Fallback:
    """The arithmetic in use. It changes at most once, from fp16 to fp32, for good."""

    def __init__(self, arithmetic: Arithmetic, load_exact: Callable[[], Any] | None = None) -> None:
        """
        Args:
            arithmetic: To begin with.
            load_exact: Loads the same model in fp32.
        """
        self.current = arithmetic
        self.warning: str | None = None
        """See `stt.engines.base.Engine.warning`."""
        self._load_exact = load_exact
        self._changing = threading.Lock()

    def after_overflow(self) -> Arithmetic | None:
        """Fall back to fp32 after fp16's output was not finite; None if that is impossible.

        bf16 has fp32's range, and what overflows there overflows in fp32, too.
        """
        with self._changing:
            if self.current.precision == "fp32":  # another batch was first
                return self.current
            load, self._load_exact = self._load_exact, None
            if load is None:
                return None
            try:
                self.current = Arithmetic(load(), "fp32")
            except Exception as error:
                self.warning = (
                    f"The model overflows in fp16, and fp32 cannot be loaded ({error}). Free "
                    "memory on the device or choose another STT_DEVICE, and restart."
                )
                logger.exception("%s", self.warning)
                return None
            self.warning = (
                "The model overflows in fp16: its output was not finite. So fp32 is used, more "
                "slowly. Set STT_PRECISION=fp32, or use a GPU with bf16."
            )
            logger.error("%s", self.warning)
            return self.current
