"""What the audio of a request goes through: which pauses are left out, its decoder, its writer."""

from dataclasses import dataclass, replace
from typing import Any

from stt.activity.base import Detector
from stt.activity.detectors import Vad, open_detector
from stt.audio.channels import Channels
from stt.decoding.factory import GREEDY, Decoding, Opened
from stt.engines.base import Engine
from stt.recognition.writer import AsSpoken, OpenWriter, Writer
from stt.speakers.turns import FindSpeakers


@dataclass(frozen=True)
class Plan:
    """How the audio of a request becomes words."""

    decoding: Decoding = GREEDY
    """How its frames become words."""
    writing: OpenWriter = AsSpoken
    """How the words are written."""
    vad: Vad | None = None
    """Whether pauses are left out; None means as the service is set."""
    channels: Channels = "mix"
    """Whether channels are mixed, or each is transcribed separately."""
    speakers: FindSpeakers | None = None
    """Finds who speaks when; None if speakers are not told apart."""

    def open(self, engine: Engine) -> tuple[Opened[Any], Writer]:
        """The decoder and the writer of one recording, or of a channel.

        Raises:
            InvalidHotwords: the checkpoint cannot write a hotword.
            ConfigurationError: the language model does not fit the checkpoint.
        """
        opened, writer = self.decoding.open(engine), self.writing()
        return replace(opened, is_slow=opened.is_slow or writer.is_slow), writer

    def detector(self, engine: Engine, default: Vad) -> Detector | None:
        """What finds the pauses of one recording; None if none are left out."""
        return open_detector(self.vad or default, engine.device)


AS_HEARD = Plan()
"""The best path, as spoken."""
