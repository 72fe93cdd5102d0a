"""What a request asks of its answer, as it is spelled there."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from stt.activity.detectors import Vad
from stt.audio.channels import Channels

Spacing: TypeAlias = Literal["model", "restored"]


@dataclass(frozen=True)
class Asked:
    """What a request asks of its decoding and its words, as it is spelled there."""

    hotwords: str = ""
    """See `parse_hotwords`."""
    language_model: bool | None = None
    """Whether to use the language model; None means as the service is set."""
    prompt: str = ""
    """Of Whisper's APIs: a list of hotwords, or prose, which is not used."""
    written: bool = False
    """Whether numbers and abbreviations are written as people write them."""
    spacing: Spacing = "model"
    """``restored`` adds the spaces that the model left out; ``model`` does not."""
    vad: Vad | None = None
    """Whether pauses are left out; None means as the service is set."""
    channels: Channels = "mix"
    """Whether channels are mixed, or each is transcribed for itself."""

    @property
    def chooses_decoding(self) -> bool:
        """Whether it asks for another decoding than the service's own."""
        return bool(self.hotwords or self.prompt) or self.language_model is not None
