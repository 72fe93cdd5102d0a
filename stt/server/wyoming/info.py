"""The answer to ``describe``: what is served, from the language registry."""

from wyoming.info import AsrModel, AsrProgram, Attribution, Info

from stt import __version__
from stt.languages import Language, ModelSource
from stt.models.state import Status
from stt.server.state import Service

PROGRAM = "stt-ctc"
HUB_URL = "https://huggingface.co"


def info_of(service: Service) -> Info:
    """What the service offers. A model counts as installed unless it has failed.

    Home Assistant asks once, possibly while models load, and never offers what was not installed
    then.
    """
    program = AsrProgram(
        name=PROGRAM,
        attribution=Attribution(name=PROGRAM, url=""),
        installed=True,
        description="Speech to text with CTC models",
        version=__version__,
        models=[
            _model(language, service.engines.state(language).status is not Status.FAILED)
            for language in service.languages
        ],
        supports_transcript_streaming=True,
        # The models were not trained on audio processed that way.
        prefers_auto_gain_enabled=False,
        prefers_noise_reduction_enabled=False,
    )
    return Info(asr=[program])


def _model(language: Language, installed: bool) -> AsrModel:
    source = language.model
    return AsrModel(
        name=source.name,
        attribution=_attribution(source),
        installed=installed,
        description=f"{language.name} ({language.native_name})",
        version=source.revision,
        languages=[language.iso_639_1],
    )


def _attribution(source: ModelSource) -> Attribution:
    if source.folder is not None:
        return Attribution(name=PROGRAM if source.is_bundled else "local", url="")
    return Attribution(name=source.id.partition("/")[0], url=f"{HUB_URL}/{source.id}")
