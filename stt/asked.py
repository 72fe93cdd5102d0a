"""The options of a request, as clients spell them."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from stt.activity.detectors import Vad
from stt.audio.channels import Channels
from stt.errors import InvalidParameter

MAX_SPEAKERS = 50
"""The most speakers in one recording."""
Spacing: TypeAlias = Literal["model", "restored"]


@dataclass(frozen=True)
class Asked:
    """What a request asks of its decoding and its words, as it is spelled there."""

    hotwords: str = ""
    """See `parse_hotwords`."""
    language_model: bool | None = None
    """Whether to use the language model; None means as the service is set."""
    prompt: str = ""
    """Whisper's prompt: a list of hotwords is used, prose is not."""
    written: bool = False
    """Whether numbers and abbreviations are written as people write them."""
    spacing: Spacing = "model"
    """``restored`` adds the spaces that the model left out; ``model`` does not."""
    vad: Vad | None = None
    """Whether pauses are left out; None means as the service is set."""
    channels: Channels = "mix"
    """Whether channels are mixed, or each is transcribed separately."""
    diarize: bool = False
    """Whether the speakers of a channel are told apart."""
    num_speakers: int | None = None
    """How many speakers there are; None if that is not known."""

    @property
    def tells_apart(self) -> bool:
        """Whether the answer says who speaks."""
        return self.diarize or self.channels == "split"

    def check_speakers(self) -> None:
        """
        Raises:
            InvalidParameter: what is asked of the speakers contradicts itself.
        """
        if self.diarize and self.channels == "split":
            raise InvalidParameter(
                "diarize=true and channels=split exclude each other: send diarize=true if speakers "
                "share a channel, or channels=split if each has one."
            )
        if self.num_speakers is not None and not self.diarize:
            raise InvalidParameter("num_speakers needs diarize=true; send both, or neither.")

    @property
    def chooses_decoding(self) -> bool:
        """Whether it asks for another decoding than the service's own."""
        return bool(self.hotwords or self.prompt) or self.language_model is not None
