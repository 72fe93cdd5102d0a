"""The clips in ``samples/``: a dozen sentences, each in a different file format.

``python -m training.samples`` needs espeak-ng and ffmpeg. Of the texts only 고마워요 is in the
training set.
"""

import argparse
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.corpus import SAMPLE_RATE, synthesise
from training.espeak import Voice

_LEVEL = 0.5
_EDGE_SECONDS = 0.15


@dataclass(frozen=True)
class Sample:
    file: str
    language: str
    text: str
    voice: Voice
    encoding: str
    """ffmpeg's output options."""


def _korean(file: str, text: str, encoding: str, variant: str = "", speed: int = 130) -> Sample:
    voice = Voice(f"ko{variant}", words_per_minute=speed, word_gap=4)
    return Sample(f"ko-{file}", "KR", text, voice, encoding)


def _english(file: str, text: str, encoding: str, variant: str = "", speed: int = 135) -> Sample:
    voice = Voice(f"en-us{variant}", words_per_minute=speed, word_gap=4)
    return Sample(f"en-{file}", "EN", text, voice, encoding)


# fmt: off
SAMPLES = (
    _korean("hello.wav", "안녕하세요 만나서 반가워요", "-ar 16000 -ac 1 -c:a pcm_s16le"),
    _korean("thanks-44k-stereo.wav", "고마워요", "-ar 44100 -ac 2 -c:a pcm_s16le", speed=185),
    _korean("class-telephone.wav", "수업은 오전 아홉 시에 시작합니다", "-ar 8000 -ac 1 -c:a pcm_mulaw"),
    _korean("weather.flac", "내일 서울에 비가 와요", "-ar 48000 -ac 1 -c:a flac -sample_fmt s16", "+m3"),
    _korean("coffee.ogg", "따뜻한 커피 두 잔 주세요", "-ar 48000 -ac 1 -c:a libvorbis -q:a 4", "+m3"),
    _korean("airport.mp3", "공항까지 어떻게 가요", "-ar 44100 -ac 1 -c:a libmp3lame -b:a 64k"),
    _korean("library.m4a", "친구가 도서관에서 책을 읽고 있어요", "-ar 44100 -ac 1 -c:a aac -b:a 64k", "+m3", 145),
    _korean("breakfast.webm", "아침에 빵하고 우유를 먹었습니다", "-ar 48000 -ac 1 -c:a libopus -b:a 32k", "+m1"),
    _english("library.wav", "WHERE IS THE LIBRARY", "-ar 16000 -ac 1 -c:a pcm_s16le"),
    _english("doctor.mp3", "THE DOCTOR WILL CALL YOU TOMORROW", "-ar 44100 -ac 1 -c:a libmp3lame -b:a 64k"),
    _english("music.opus", "MY SISTER LIKES MUSIC", "-ar 48000 -ac 1 -c:a libopus -b:a 24k"),
    _english("help.3gp", "CAN YOU HELP ME PLEASE", "-ar 44100 -ac 1 -c:a aac -b:a 64k", "+f3", 145),
)
# fmt: on


def waveform_of(sample: Sample) -> np.ndarray:
    """``[n_samples] float32`` at 16 kHz, with short silence at both ends."""
    text = sample.text.lower() if sample.language == "EN" else sample.text
    waveform, _, _ = synthesise(text, sample.voice)
    edge = np.zeros(round(_EDGE_SECONDS * SAMPLE_RATE), np.float32)
    return np.concatenate([edge, waveform * np.float32(_LEVEL / np.abs(waveform).max()), edge])


def write_samples(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["file\tlang\ttext"]
    for sample in SAMPLES:
        raw = ["-f", "f32le", "-ar", str(SAMPLE_RATE), "-ac", "1", "-i", "pipe:0"]
        target = str(folder / sample.file)
        command = ["ffmpeg", "-y", "-loglevel", "error", *raw]
        command += [
            "-fflags",
            "+bitexact",
            "-flags:a",
            "+bitexact",
            *sample.encoding.split(),
            target,
        ]
        subprocess.run(command, input=waveform_of(sample).tobytes(), check=True)
        lines.append(f"{sample.file}\t{sample.language}\t{sample.text}")
    (folder / "texts.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.samples", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("samples"))
    write_samples(parser.parse_args().folder)


if __name__ == "__main__":
    main()
