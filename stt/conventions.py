"""How checkpoints write numbers and names: as they are spoken, as people write them, or both.

It follows from the texts that a checkpoint was trained on; docs/models.md has the sources.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

Convention: TypeAlias = Literal["spoken", "written", "mixed"]
"""``spoken``: 세 시 삼십 분, 에이아이. ``written``: 3시 30분, AI. ``mixed``: either."""

KNOWN_CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {
        "ko-mini": "spoken",
        "en-mini": "spoken",
        "kresnik/wav2vec2-large-xlsr-korean": "spoken",
        "w11wo/wav2vec2-xls-r-300m-korean": "spoken",
        "anantoj/wav2vec2-xls-r-1b-korean": "spoken",
        "Kkonjeong/wav2vec2-base-korean": "spoken",
        "42MARU/ko-42maru-wav2vec2-conformer-del-1s": "spoken",
        "42MARU/ko-spelling-wav2vec2-conformer-del-1s": "written",
        "facebook/wav2vec2-base-960h": "spoken",
        "facebook/wav2vec2-large-960h-lv60-self": "spoken",
    }
)
"""By model id. Of others it is unknown, unless ``STT_CONVENTIONS`` says it."""
