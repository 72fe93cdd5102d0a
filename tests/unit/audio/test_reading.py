import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import librosa
import numpy as np
import pytest
from numpy.typing import NDArray

from stt.audio.reading import read_audio
from stt.errors import AudioTooLong, InvalidAudio, UnsupportedFormat
from tests.audio_files import tones, with_ffmpeg, with_libsndfile
from tests.hostile import flac_silence, matroska

Encode = Callable[[NDArray[np.float32], int], bytes]


def read(data: bytes, max_seconds: float = 100.0) -> NDArray[np.float32]:
    blocks = list(read_audio(BytesIO(data), max_seconds=max_seconds))
    assert all(block.dtype == np.float32 and block.ndim == 1 for block in blocks)
    return np.concatenate([np.zeros(0, np.float32), *blocks])


def libsndfile(format: str, subtype: str | None = None) -> Encode:
    return lambda samples, rate: with_libsndfile(samples, rate, format, subtype)


def ffmpeg(container: str, codec: str) -> Encode:
    return lambda samples, rate: with_ffmpeg(samples, rate, container, codec)


LIBROSA_READS = {
    "wav pcm16": libsndfile("WAV", "PCM_16"),
    "wav pcm24": libsndfile("WAV", "PCM_24"),
    "wav pcm8": libsndfile("WAV", "PCM_U8"),
    "wav float": libsndfile("WAV", "FLOAT"),
    "wav mu-law": libsndfile("WAV", "ULAW"),
    "wav extensible": libsndfile("WAVEX"),
    "rf64": libsndfile("RF64"),
    "flac": libsndfile("FLAC"),
    "ogg vorbis": libsndfile("OGG", "VORBIS"),
    "mp3": libsndfile("MP3"),
}


@pytest.mark.parametrize("encode", LIBROSA_READS.values(), ids=LIBROSA_READS.keys())
@pytest.mark.parametrize(
    ("rate", "channels"), [(16000, 1), (44100, 2), (48000, 1), (8000, 1), (22050, 2)]
)
def test_equal_to_librosa_load(encode: Encode, rate: int, channels: int) -> None:
    data = encode(tones(2.63, rate, channels), rate)
    expected, _ = librosa.load(BytesIO(data), sr=16000, mono=True)
    ours = read(data)
    assert ours.shape == expected.shape
    assert np.abs(ours - expected).max() < 1e-4


def test_ogg_opus_is_equal_to_librosa_load() -> None:
    data = with_libsndfile(tones(2.0, 48000), 48000, "OGG", "OPUS")
    expected, _ = librosa.load(BytesIO(data), sr=16000, mono=True)
    assert np.abs(read(data) - expected).max() < 1e-4


FFMPEG_READS = {
    "m4a": (ffmpeg("mp4", "aac"), 44100, 2),
    "mp4 mono": (ffmpeg("mp4", "aac"), 16000, 1),
    "3gp": (ffmpeg("3gp", "aac"), 22050, 1),
    "aac": (ffmpeg("adts", "aac"), 44100, 2),
    "webm opus": (ffmpeg("webm", "libopus"), 48000, 1),
    "webm opus stereo": (ffmpeg("webm", "libopus"), 48000, 2),
    "mka flac": (ffmpeg("matroska", "flac"), 44100, 2),
}


@pytest.mark.parametrize(("encode", "rate", "channels"), FFMPEG_READS.values(), ids=FFMPEG_READS)
def test_what_phones_and_browsers_record(encode: Encode, rate: int, channels: int) -> None:
    samples = tones(3.0, rate, channels)
    ours = read(encode(samples, rate))
    mono = samples.mean(axis=1)
    expected = librosa.resample(mono, orig_sr=rate, target_sr=16000)
    assert len(ours) == pytest.approx(len(expected), abs=0.15 * 16000)
    # Codecs delay by some milliseconds and lose detail, so compare at the best shift.
    a, b = ours[4000:40000], expected
    shifts = range(-2500, 2500, 2)
    best = max(np.corrcoef(a, b[4000 + s : 40000 + s])[0, 1] for s in shifts)
    assert best > 0.9
    # FFmpeg's downmix would be 1.4 times as loud.
    assert np.std(a) == pytest.approx(np.std(expected[4000:40000]), rel=0.1)


def test_the_file_name_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "speech.mp4"
    path.write_bytes(with_libsndfile(tones(2.5, 16000), 16000, "FLAC"))
    with path.open("rb") as file:
        lengths = [len(block) for block in read_audio(file, max_seconds=100)]
    assert sum(lengths) == 40_000
    assert 16_000 <= max(lengths) < 2 * 16_000


@pytest.mark.parametrize(
    ("head", "frame"),
    [(b"#!AMR\n", b"\x04" + bytes(12)), (b"#!AMR-WB\n", b"\x7c")],
    ids=["narrow band", "wide band"],
)
def test_amr(head: bytes, frame: bytes) -> None:
    # FFmpeg cannot encode AMR here, so the test writes frames of 20 ms (RFC 4867, section 5.3):
    # zeros at the lowest rate, and type 15, "no data". They decode to quiet sounds.
    samples = read(head + frame * 100)
    assert len(samples) == pytest.approx(2 * 16000, abs=320)
    assert np.abs(samples).max() < 0.1


@pytest.mark.parametrize("n_samples", [0, 1, 399])
def test_very_short_recordings_are_accepted(n_samples: int) -> None:
    data = with_libsndfile(np.zeros((n_samples, 1), np.float32), 16000, "WAV")
    assert len(read(data)) == n_samples


NOT_AUDIO = {
    "text": b"hello, this is no audio\n" * 10,
    "playlist": b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:1/a.ts\n",
    "session description": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=audio 5004 RTP/AVP 0\n",
    "concat script": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "png": b"\x89PNG\r\n\x1a\n" + b"\0" * 60,
    "pdf": b"%PDF-1.7\n" + b"0" * 60,
    "midi": b"MThd\0\0\0\x06" + bytes(60),
    "flv": b"FLV\x01\x05\0\0\0\x09" + bytes(60),
    "zeros": bytes(1000),
    "one byte": b"R",
}


@pytest.mark.parametrize("data", NOT_AUDIO.values(), ids=NOT_AUDIO.keys())
def test_what_is_not_accepted_is_refused_by_content(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat, match="Send one of WAV"):
        read(data)


def test_an_empty_file() -> None:
    with pytest.raises(InvalidAudio, match="0 bytes"):
        read(b"")


HEADS = {
    "wav": b"RIFF\x24\0\0\0WAVEfmt ",
    "flac": b"fLaC" + b"\xff" * 40,
    "ogg": b"OggS" + b"\0" * 40,
    "mp3": b"ID3\x04\0\0\0\0\0\0" + b"nonsense" * 5,
    "mp4": b"\0\0\0\x18ftypM4A " + b"nonsense" * 5,
    "webm": b"\x1a\x45\xdf\xa3" + b"nonsense" * 5,
    "aac": b"\xff\xf1\0\0" + b"nonsense" * 5,
}


@pytest.mark.parametrize("data", HEADS.values(), ids=HEADS.keys())
def test_garbage_after_a_valid_header(data: bytes) -> None:
    with pytest.raises(InvalidAudio):
        read(data)


def test_too_long_according_to_the_header() -> None:
    data = with_libsndfile(tones(3.0, 16000), 16000, "WAV")
    with pytest.raises(AudioTooLong, match="longer than 2 s"):
        read(data, max_seconds=2.0)
    with pytest.raises(AudioTooLong):
        read(with_ffmpeg(tones(3.0, 44100), 44100, "mp4", "aac"), max_seconds=2.0)


def test_too_long_by_count() -> None:
    # ADTS headers have no length, so only counting helps.
    data = with_ffmpeg(tones(3.0, 44100), 44100, "adts", "aac")
    with pytest.raises(AudioTooLong):
        read(data, max_seconds=1.0)


def flac_header(n_samples: int, rate: int = 16000, channels: int = 1) -> bytes:
    packed = rate << 44 | (channels - 1) << 41 | 15 << 36 | n_samples
    info = struct.pack(">HH3s3sQ16s", 4096, 4096, b"\0" * 3, b"\0" * 3, packed, b"\0" * 16)
    return b"fLaC" + b"\x80\0\0\x22" + info


def test_a_header_that_claims_68_billion_frames() -> None:
    with pytest.raises(AudioTooLong):
        read(flac_header(2**36 - 1), max_seconds=3600)


def test_a_header_that_overstates_the_length_adds_no_samples() -> None:
    samples = tones(2.5, 16000)
    data = bytearray(with_libsndfile(samples, 16000, "WAV", "PCM_16"))
    data[4:8] = struct.pack("<I", 36 + 2 * 16000 * 10)
    at = data.index(b"data")
    data[at + 4 : at + 8] = struct.pack("<I", 2 * 16000 * 10)  # ten seconds
    assert np.abs(read(bytes(data)) - samples[:, 0]).max() < 1e-4


@pytest.mark.parametrize("rate", [1, 3999, 384001, 2**31 - 1])
def test_impossible_sample_rates(rate: int) -> None:
    data = bytearray(with_libsndfile(tones(0.1, 16000), 16000, "WAV"))
    data[24:28] = struct.pack("<I", rate)
    with pytest.raises(InvalidAudio, match=r"4000 to 384000 Hz|cannot be decoded"):
        read(bytes(data))


def test_too_many_channels() -> None:
    data = with_libsndfile(np.zeros((100, 16), np.float32), 16000, "WAV")
    with pytest.raises(InvalidAudio, match="16 channels; expected 1 to 8"):
        read(data)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_file_full_of_nan_or_infinity(value: float) -> None:
    samples = tones(0.5, 16000)
    samples[4000:4400] = value
    with pytest.raises(InvalidAudio, match="NaN or infinite"):
        read(with_libsndfile(samples, 16000, "WAV", "FLOAT"))


def test_no_audio_track() -> None:
    import av

    file = BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for _ in range(3):
            output.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        output.mux(stream.encode(None))
    with pytest.raises(InvalidAudio, match="no audio track"):
        read(file.getvalue())


@pytest.mark.parametrize(
    "encode", [*LIBROSA_READS.values(), *(each[0] for each in FFMPEG_READS.values())]
)
def test_truncated_files_give_a_prefix_or_an_error(encode: Encode) -> None:
    rate = 48000
    data = encode(tones(2.0, rate), rate)
    for percent in range(0, 100, 5):
        try:
            samples = read(data[: len(data) * percent // 100])
        except (InvalidAudio, UnsupportedFormat):
            continue
        assert len(samples) <= 2.2 * 16000
        assert np.abs(samples).max(initial=0) < 2


def test_flac_of_unknown_length() -> None:
    # An encoder that writes to a pipe leaves 0 in the header, which soundfile cannot read.
    whole = with_libsndfile(tones(2.5, 44100, 2), 44100, "FLAC")
    claim = int.from_bytes(whole[18:26]) & ~(2**36 - 1)
    piped = whole[:18] + claim.to_bytes(8) + whole[26:]
    assert np.abs(read(piped) - read(whole)).max() < 1e-4
    with pytest.raises(AudioTooLong):
        read(piped, max_seconds=2)


@pytest.mark.parametrize("encode", [libsndfile("FLAC"), ffmpeg("adts", "aac"), libsndfile("MP3")])
def test_id3_tags_are_skipped(encode: Encode) -> None:
    data = encode(tones(1.0, 44100), 44100)
    tag = b"ID3\x04\0\0\0\0\x02\x10" + (b"fLaC in a cover" * 20)[:272]
    assert len(read(tag + data)) == pytest.approx(len(read(data)), abs=2000)


def test_eight_channels_through_ffmpeg() -> None:
    # PyAV 18.1 crashes on them with planar samples.
    silence = read(flac_silence(1.0, 48_000, 8, claim=0))
    assert len(silence) == 65_535 // 3
    assert not silence.any()


def test_loud_samples_are_accepted_but_absurd_ones_are_not() -> None:
    samples = tones(0.5, 16000) * 32767
    data = with_libsndfile(samples, 16000, "WAV", "FLOAT")
    assert np.abs(read(data)).max() > 1000
    with pytest.raises(InvalidAudio, match="impossibly large"):
        read(with_libsndfile(samples * 1e8, 16000, "WAV", "FLOAT"))


@pytest.mark.parametrize(
    ("codec", "name"),
    [("A_DTS", "DTS"), ("A_TRUEHD", "TrueHD"), ("A_REAL/COOK", "Cook"), ("A_TTA1", "TTA")],
)
def test_codecs_that_are_not_accepted_are_named(codec: str, name: str) -> None:
    with pytest.raises(UnsupportedFormat, match=f"audio track is not accepted: .*{name}"):
        read(matroska([bytes(1000)] * 5, codec))


def test_an_unknown_codec() -> None:
    with pytest.raises(InvalidAudio, match="audio track is unknown"):
        read(matroska([bytes(1000)] * 5, "A_NOTHING"))


def test_samples_count_over_all_channels() -> None:
    for claim in (-1, 0):
        bomb = flac_silence(70, 384_000, 8, claim=claim)
        with pytest.raises(AudioTooLong, match="over all channels"):
            read(bomb, max_seconds=100)


@pytest.mark.parametrize("percent", range(5, 100, 5))
def test_truncated_flac_is_an_error(percent: int) -> None:
    data = with_libsndfile(tones(2.0, 44100, 2), 44100, "FLAC")
    with pytest.raises(InvalidAudio, match="FLAC"):
        read(data[: len(data) * percent // 100])


def test_flac_truncated_between_two_frames_is_an_error() -> None:
    data = flac_silence(60)  # 15 frames of the same size
    n_bytes = (len(data) - 42) // 15
    with pytest.raises(InvalidAudio, match="FLAC"):
        read(data[: 42 + 7 * n_bytes])


@pytest.mark.parametrize("encode", [libsndfile("MP3"), libsndfile("OGG", "VORBIS")])
def test_truncated_mp3_and_ogg_give_what_there_is(encode: Encode) -> None:
    data = encode(tones(5.0, 22050), 22050)
    whole, last = read(data), 0
    for percent in range(20, 100, 5):
        part = read(data[: len(data) * percent // 100])
        assert last <= len(part) < len(whole)
        last = len(part)
        inner = max(0, len(part) - 2000)  # filters see the end in the rest
        assert np.abs(part[:inner] - whole[:inner]).max(initial=0) < 1e-3
    assert last > 0.8 * len(whole)


def test_a_huge_packet_is_split_into_blocks_of_a_second() -> None:
    data = matroska([bytes(2 * 16_000 * 100)])
    lengths = [len(block) for block in read_audio(BytesIO(data), max_seconds=1000)]
    assert sum(lengths) == 100 * 16_000
    assert max(lengths) <= 2 * 16_000
