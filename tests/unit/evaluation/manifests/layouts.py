"""Small data sets, laid out as the real ones are distributed, with the bundled samples."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from stt.audio.reading import read_audio
from stt.types import SAMPLE_RATE, Waveform

SAMPLES = Path(__file__).parents[4] / "samples"
HELLO, HELLO_TEXT = "ko-hello.wav", "안녕하세요 만나서 반가워요"
THANKS, THANKS_TEXT = "ko-thanks-44k-stereo.wav", "고마워요"


def samples(name: str) -> Waveform:
    """A bundled sample, ``[n]``."""
    with (SAMPLES / name).open("rb") as file:
        return np.concatenate(list(read_audio(file, max_seconds=60)))


def write(path: Path, name: str) -> Path:
    """Write a bundled sample in the format of the path's suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".pcm":
        # KsponSpeech's files have half a sample at their end.
        path.write_bytes((samples(name) * 32767).astype("<i2").tobytes() + b"\1")
    else:
        soundfile.write(path, samples(name), SAMPLE_RATE)
    return path


def put(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    """Write lines of text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(f"{line}\n" for line in lines).encode(encoding))
    return path


def zeroth(root: Path) -> Path:
    put(
        root / "AUDIO_INFO",
        "SPEAKERID|NAME|SEX|SCRIPTID|DATASET",
        "104|A Person|m|003|test_data_01",
        "105|Another|f|003|test_data_01",
    )
    folder = root / "test_data_01" / "003"
    for speaker, sample, text in (("104", HELLO, HELLO_TEXT), ("105", THANKS, THANKS_TEXT)):
        write(folder / speaker / f"{speaker}_003_0019.flac", sample)
        put(folder / speaker / f"{speaker}_003.trans.txt", f"{speaker}_003_0019 {text}")
    return root / "test_data_01"


def librispeech(root: Path) -> Path:
    put(root / "SPEAKERS.TXT", "; ID |SEX| SUBSET |MINUTES| NAME", "61 | M | test-clean | 8 | A B")
    folder = root / "test-clean" / "61" / "70968"
    write(folder / "61-70968-0000.flac", HELLO)
    write(folder / "61-70968-0001.flac", THANKS)
    put(
        folder / "61-70968.trans.txt",
        f"61-70968-0000 {HELLO_TEXT}",
        f"61-70968-0001 {THANKS_TEXT}",
    )
    return root / "test-clean"


def ksponspeech(root: Path) -> Path:
    folder = root / "KsponSpeech_eval" / "eval_clean"
    write(folder / "KsponSpeech_E00001.pcm", HELLO)
    write(folder / "KsponSpeech_E00002.pcm", THANKS)
    return put(
        root / "KsponSpeech_scripts" / "eval_clean.trn",
        f"KsponSpeech_eval/eval_clean/KsponSpeech_E00001.pcm :: b/ {HELLO_TEXT}. n/",
        f"KsponSpeech_eval/eval_clean/KsponSpeech_E00002.pcm :: {THANKS_TEXT}.",
    )


def aihub(root: Path) -> Path:
    folder = root / "KsponSpeech_01" / "KsponSpeech_0001"
    write(folder / "KsponSpeech_000001.pcm", HELLO)
    write(folder / "KsponSpeech_000002.wav", THANKS)
    put(folder / "KsponSpeech_000001.txt", f"{HELLO_TEXT}.", encoding="cp949")
    put(folder / "KsponSpeech_000002.txt", f"(thank you)/({THANKS_TEXT}).")
    return root


def clovacall(root: Path) -> Path:
    write(root / "wavs_test" / "41_0514_301_0_07111_09.wav", HELLO)
    write(root / "wavs_test" / "41_0509_714_0_08568_02.wav", THANKS)
    rows = [
        {"wav": "41_0514_301_0_07111_09.wav", "text": f"{HELLO_TEXT}.", "speaker_id": "07111"},
        {"wav": "41_0509_714_0_08568_02.wav", "text": THANKS_TEXT, "speaker_id": "08568"},
    ]
    return put(root / "test_ClovaCall.json", json.dumps(rows, ensure_ascii=False, indent=2))


def fleurs(root: Path) -> Path:
    rows = []
    for number, (sample, text) in enumerate(((HELLO, HELLO_TEXT), (THANKS, THANKS_TEXT))):
        write(root / "audio" / "test" / f"{number}.wav", sample)
        letters = " ".join(text.replace(" ", "|")) + " |"
        n_samples = str(len(samples(sample)))
        columns = ["1883", f"{number}.wav", f"{text}.", text, letters, n_samples, "FEMALE"]
        rows.append("\t".join(columns))
    return put(root / "test.tsv", *rows)


def common_voice(root: Path) -> Path:
    header = "client_id path sentence_id sentence sentence_domain up_votes down_votes age gender"
    header += " accents variant locale segment"
    rows = ["\t".join(header.split())]
    for number, (sample, text) in enumerate(((HELLO, HELLO_TEXT), (THANKS, THANKS_TEXT))):
        write(root / "clips" / f"common_voice_ko_{number}.mp3", sample)
        columns = [str(number) * 128, f"common_voice_ko_{number}.mp3", "c0ffee", f'{text}."', ""]
        columns += ["2", "0", "twenties", "female_feminine", "", "", "ko", ""]
        rows.append("\t".join(columns))
    return put(root / "test.tsv", *rows)


def kaldi(root: Path) -> Path:
    for number, sample in enumerate((HELLO, THANKS)):
        write(root / "wav" / f"{number}.wav", sample)
    put(root / "wav.scp", "a-0 wav/0.wav", "b-1 wav/1.wav")
    put(root / "text", f"a-0 {HELLO_TEXT}", f"b-1 {THANKS_TEXT}")
    put(root / "utt2spk", "a-0 a", "b-1 b")
    put(root / "spk2gender", "a f", "b m")
    put(root / "utt2dur", "a-0 3.42", "b-1 1.5")
    return root


def nemo(root: Path) -> Path:
    write(root / "0.wav", HELLO)
    write(root / "1.wav", THANKS)
    rows = [
        {"audio_filepath": "0.wav", "duration": 3.42, "text": HELLO_TEXT, "speaker": "a"},
        {"audio_filepath": str(root / "1.wav"), "text": THANKS_TEXT},
    ]
    return put(root / "test.json", *(json.dumps(row) for row in rows))


def table(root: Path) -> Path:
    write(root / "0.wav", HELLO)
    write(root / "1.wav", THANKS)
    return put(
        root / "m.tsv", "file\ttext\tspeaker", f"0.wav\t{HELLO_TEXT}\ta", f"1.wav\t{THANKS_TEXT}\t"
    )


@dataclass(frozen=True)
class Layout:
    """A data set and what its manifest says of the speakers."""

    build: Callable[[Path], Path]
    """Writes it below a folder; returns the manifest."""
    name: str
    """Its format."""
    speakers: tuple[str, str] = ("", "")
    genders: tuple[str, str] = ("", "")


LAYOUTS = (
    Layout(zeroth, "librispeech", ("104", "105"), ("male", "female")),
    Layout(librispeech, "librispeech", ("61", "61"), ("male", "male")),
    Layout(ksponspeech, "ksponspeech"),
    Layout(aihub, "aihub"),
    Layout(clovacall, "clovacall", ("07111", "08568")),
    Layout(fleurs, "fleurs", genders=("female", "female")),
    Layout(common_voice, "common-voice", ("00000000", "11111111"), ("female", "female")),
    Layout(kaldi, "kaldi", ("a", "b"), ("female", "male")),
    Layout(nemo, "jsonl", ("a", "")),
    Layout(table, "tsv", ("a", "")),
)
