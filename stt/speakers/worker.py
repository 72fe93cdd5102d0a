"""Finds speakers with sherpa-onnx: ``python -m stt.speakers.worker FD SEGMENTATION EMBEDDING N``.

https://k2-fsa.github.io/sherpa/onnx/speaker-diarization/index.html: pyannote's segmentation model
says who speaks when within ten seconds, another model embeds each of these voices, and clustering
finds which are the same. Standard input is not used; the file descriptor has 16-bit samples at 16
kHz. Standard output gets JSON: a list of ``[start, end, speaker]``.
"""

import ctypes
import json
import os
import signal
import sys

import numpy as np

from stt.types import SAMPLE_RATE

PR_SET_PDEATHSIG = 1


def main(descriptor: int, segmentation: str, embedding: str, n_speakers: int) -> None:
    """Print the turns of a recording.

    Args:
        descriptor: Of the samples.
        segmentation, embedding: Files of the two models, in ONNX.
        n_speakers: 0 lets the clustering decide.
    """
    import sherpa_onnx as sherpa

    diarization = sherpa.OfflineSpeakerDiarization(
        sherpa.OfflineSpeakerDiarizationConfig(
            segmentation=sherpa.OfflineSpeakerSegmentationModelConfig(
                pyannote=sherpa.OfflineSpeakerSegmentationPyannoteModelConfig(model=segmentation)
            ),
            embedding=sherpa.SpeakerEmbeddingExtractorConfig(model=embedding),
            clustering=sherpa.FastClusteringConfig(num_clusters=n_speakers or -1),
        )
    )
    if diarization.sample_rate != SAMPLE_RATE:
        raise SystemExit(f"the segmentation model takes {diarization.sample_rate} Hz")
    with os.fdopen(descriptor, "rb") as file:
        file.seek(0)
        samples = np.frombuffer(file.read(), "<i2").astype(np.float32) / 2**15
    turns = diarization.process(samples).sort_by_start_time() if len(samples) else []
    json.dump([[each.start, each.end, each.speaker] for each in turns], sys.stdout)


if __name__ == "__main__":
    if sys.platform == "linux":  # end with the service, however it ends
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
