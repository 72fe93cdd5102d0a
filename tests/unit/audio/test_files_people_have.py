"""Files as recorders, editors and interrupted uploads leave them."""

import struct
import tracemalloc
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray

from stt.audio.reading import read_audio
from stt.errors import InvalidAudio, UnsupportedFormat
from stt.notices import Code, Report
from tests.audio_files import tones, with_ffmpeg, with_libsndfile, with_tracks
from tests.hostile import patched

TONE = tones(1.0, 16_000)
SILENCE = np.zeros_like(TONE)


def read(data: bytes, track: int | None = None) -> tuple[NDArray[np.float32], Report]:
    blocks = read_audio(BytesIO(data), max_seconds=40_000, track=track)
    return np.concatenate([np.zeros(0, np.float32), *blocks]), blocks.report


def codes(report: Report) -> list[str]:
    return [each.code for each in report.warnings]


def sounds(samples: NDArray[np.float32]) -> list[int]:
    """Seconds of the recording in which there is sound."""
    return [
        second
        for second in range(len(samples) // 16_000)
        if np.abs(samples[second * 16_000 + 2000 : (second + 1) * 16_000 - 2000]).max() > 0.05
    ]


def wav(rate: int = 16_000, channels: int = 1) -> bytes:
    return with_libsndfile(tones(1.0, rate, channels), rate, "WAV", "PCM_16")


JOINED = {
    "MP3": with_libsndfile(TONE, 16_000, "MP3"),
    "MP3 of another rate": with_libsndfile(tones(1.0, 44_100, 2), 44_100, "MP3"),
    "Opus": with_libsndfile(tones(1.0, 48_000), 48_000, "OGG", "OPUS"),
    "Vorbis": with_libsndfile(tones(1.0, 44_100, 2), 44_100, "OGG", "VORBIS"),
    "WAV": wav(),
    "WAV of another rate": wav(44_100, 2),
    "FLAC": with_libsndfile(TONE, 16_000, "FLAC"),
    "M4A": with_ffmpeg(tones(1.0, 44_100), 44_100, "mp4", "aac"),
    "WebM": with_ffmpeg(tones(1.0, 48_000), 48_000, "webm", "libopus"),
    "AIFF": with_libsndfile(TONE, 16_000, "AIFF"),
    "AU": with_libsndfile(TONE, 16_000, "AU"),
    "AAC": with_ffmpeg(tones(1.0, 44_100), 44_100, "adts", "aac"),
}


@pytest.mark.parametrize("second", JOINED)
@pytest.mark.parametrize("first", JOINED)
def test_recordings_behind_each_other_are_all_read(first: str, second: str) -> None:
    samples, report = read(JOINED[first] + JOINED[second])
    assert len(samples) == pytest.approx(2 * 16_000, abs=0.2 * 16_000)
    assert sounds(samples)[0] == 0
    assert np.abs(samples[-12_000:-4_000]).max() > 0.05
    assert report.warnings == ()


def test_what_cannot_be_read_behind_a_recording_is_said() -> None:
    samples, report = read(wav() + b"PK\x03\x04" + np.random.default_rng(0).bytes(2_560))
    assert len(samples) == 16_000
    assert codes(report) == [Code.UNREAD_DATA]
    assert "2564 bytes" in report.warnings[0].message
    _, report = read(wav() + bytes(5_000))
    assert report.warnings == ()


def test_junk_between_two_recordings_hides_none() -> None:
    samples, report = read(wav() + b"lost " * 1000 + wav())
    assert len(samples) == 2 * 16_000
    assert codes(report) == [Code.UNREAD_DATA]


def test_a_later_recording_without_its_index_is_unread_data() -> None:
    mp4 = with_ffmpeg(tones(1.0, 44_100), 44_100, "mp4", "aac")
    cut_off = mp4[: mp4.index(b"moov") - 4]
    samples, report = read(wav() + cut_off)
    assert len(samples) == 16_000
    assert codes(report) == [Code.UNREAD_DATA]


def test_a_later_recording_that_breaks_off_does_not_cost_the_first() -> None:
    flac = with_libsndfile(tones(5.0, 16_000, seed=2), 16_000, "FLAC")
    samples, report = read(wav() + flac[: len(flac) // 2])
    assert len(samples) >= 16_000
    assert codes(report)


@pytest.mark.parametrize("riff", [0, 36, 2**32 - 1])
@pytest.mark.parametrize("data", [0, 2**31 - 1, 2**32 - 1])
def test_a_wav_header_that_was_never_finished_means_unknown(riff: int, data: int) -> None:
    at = wav().index(b"data") + 4
    unfinished = patched(patched(wav(), 4, struct.pack("<I", riff)), at, struct.pack("<I", data))
    samples, report = read(unfinished)
    assert np.abs(samples - read(wav())[0]).max() < 1e-4
    assert report.warnings == ()


def test_a_wav_that_goes_on_behind_its_header_is_read_to_its_end() -> None:
    speech = np.convolve(TONE[:, 0], np.ones(4) / 4, "same")[:, None]  # without the noise on top
    whole = with_libsndfile(speech, 16_000, "WAV", "PCM_16")
    at = whole.index(b"data") + 4
    stale = patched(patched(whole, 4, struct.pack("<I", 8_036)), at, struct.pack("<I", 8_000))
    samples, report = read(stale)
    assert len(samples) == 16_000
    assert report.warnings == ()
    noise = np.random.default_rng(0).bytes(24_000)
    for tail in (noise, b"a text and no samples\n" * 1_000):
        samples, report = read(stale[: at + 4 + 8_000] + tail)
        assert len(samples) == 4_000
        assert codes(report) == [Code.UNREAD_DATA]


def test_a_wav_without_samples_is_empty_although_chunks_follow() -> None:
    empty = with_libsndfile(np.zeros((0, 1), np.float32), 16_000, "WAV", "PCM_16")
    assert len(read(empty + b"LIST" + struct.pack("<I", 400) + bytes(400))[0]) == 0


@pytest.mark.parametrize("name", ["WAV", "WebM", "AIFF", "AU"])
def test_a_file_that_is_cut_off_says_so(name: str) -> None:
    data = JOINED[name]
    samples, report = read(data[: len(data) * 6 // 10])
    assert len(samples) < 16_000
    assert codes(report)[:1] == [Code.CUT_OFF]


@pytest.mark.parametrize("name", ["WAV", "M4A", "FLAC", "MP3", "WebM"])
def test_a_tag_in_front_changes_nothing(name: str) -> None:
    tag = b"ID3\x04\0\0\0\0\x02\x10" + bytes(272)
    assert len(read(tag + JOINED[name])[0]) == len(read(JOINED[name])[0])


def test_several_tags_in_front_change_nothing() -> None:
    tag = b"ID3\x04\0\0\0\0\x02\x10" + bytes(272)
    for name in ("WAV", "M4A", "FLAC", "AIFF", "MP3"):
        assert len(read(tag * 3 + JOINED[name])[0]) == len(read(JOINED[name])[0])


def test_padding_of_letters_in_front_of_frames_is_no_text() -> None:
    assert len(read(b"U" * 300 + JOINED["MP3"])[0]) == pytest.approx(16_000, abs=2_500)
    with pytest.raises(UnsupportedFormat):
        read(b"a line of text\n" + JOINED["MP3"])


@pytest.mark.parametrize("name", ["MP3", "AAC"])
def test_frames_from_the_middle_or_behind_zeros(name: str) -> None:
    data = JOINED[name]
    assert len(read(data[700:])[0]) == pytest.approx(16_000, abs=5_000)
    assert len(read(bytes(2_000) + data)[0]) == pytest.approx(16_000, abs=2_500)


CODECS = {
    "FLAC in OGG": ("ogg", "flac"),
    "G.722 in WAV": ("wav", "g722"),
    "G.723.1 in WAV": ("wav", "g723_1"),
    "G.726 in WAV": ("wav", "g726"),
    "Yamaha ADPCM in WAV": ("wav", "adpcm_yamaha"),
    "AAC in WAV": ("wav", "aac"),
    "MP2 in Matroska": ("matroska", "mp2"),
    "AAC in QuickTime": ("mov", "aac"),
    "AC-3 in Matroska": ("matroska", "ac3"),
    "ALAC in CAF": ("caf", "alac"),
    "WMA": ("asf", "wmav2"),
    "MP3 in AVI": ("avi", "mp3"),
    "MP2 in a transport stream": ("mpegts", "mp2"),
}


@pytest.mark.parametrize(("container", "codec"), CODECS.values(), ids=CODECS.keys())
def test_what_ffmpeg_reads_from_a_stream(container: str, codec: str) -> None:
    rate = 8_000 if codec in ("g723_1", "g726") else 44_100 if codec == "wmav2" else 16_000
    rate = 32_000 if codec in ("ac3", "mp2", "mp3") else rate
    samples, report = read(with_ffmpeg(tones(2.0, rate), rate, container, codec))
    assert len(samples) == pytest.approx(2 * 16_000, abs=0.15 * 16_000)
    assert np.std(samples[8_000:24_000]) > 0.05
    assert report.warnings == ()


def test_a_movie_from_before_there_was_ftyp() -> None:
    movie = with_ffmpeg(TONE, 16_000, "mov", "aac")
    assert len(read(patched(movie, 4, b"wide"))[0]) == len(read(movie)[0])


def test_a_codec_that_is_not_accepted_in_wav_is_named() -> None:
    with pytest.raises(UnsupportedFormat, match=r"is not accepted: .*TrueSpeech"):
        read(patched(wav(), 20, b"\x22\0"))


def webm_chunks() -> tuple[bytes, bytes]:
    """The beginning of a recording, and a later chunk that a browser would send by itself."""
    data = with_ffmpeg(tones(6.0, 48_000), 48_000, "webm", "libopus")
    at = data.index(b"\x1f\x43\xb6\x75")
    at = data.index(b"\x1f\x43\xb6\x75", at + 4)
    return data[:at], data[at:]


def test_chunks_without_their_beginning_say_how_to_send_them() -> None:
    head, later = webm_chunks()
    for data in (later, later[300:] + later, later + head):
        with pytest.raises(InvalidAudio, match=r"beginning.* is missing.* joined in their order"):
            read(data)
    assert len(read(head + later)[0]) == pytest.approx(6 * 16_000, abs=2_000)
    fragment = struct.pack(">I4s", 16, b"moof") + bytes(8) + struct.pack(">I4s", 1008, b"mdat")
    for data in (fragment + bytes(1000), b"\0\0\0\x10stypmsdh\0\0\0\0" + fragment + bytes(1000)):
        with pytest.raises(InvalidAudio, match="later part of a recording in MP4"):
            read(data)


def test_an_mp4_whose_index_was_never_written() -> None:
    data = JOINED["M4A"]
    with pytest.raises(InvalidAudio, match=r"no index \(moov\)"):
        read(data[: data.index(b"moov") - 4])


@pytest.mark.parametrize("container", ["matroska", "mp4", "mov", "mpegts"])
def test_times_are_on_the_clock_of_the_container(container: str) -> None:
    late = with_tracks([[(3, TONE), (6, TONE)]], container, picture=True)
    samples, report = read(late)
    assert sounds(samples) == [3, 6]
    assert report.warnings == ()


def test_an_edit_list_is_a_late_start_even_without_pictures() -> None:
    assert sounds(read(with_tracks([[(3, TONE)]], "mp4"))[0]) == [3]


def test_a_timestamp_hours_away_adds_no_hours_of_silence() -> None:
    samples, report = read(with_tracks([[(0, TONE), (30_000, TONE)]]))
    assert len(samples) == pytest.approx(2 * 16_000, abs=2_000)
    assert codes(report) == [Code.TIMESTAMPS]


def test_a_long_gap_takes_little_memory() -> None:
    data = with_tracks([[(0, TONE), (590, TONE)]])
    read(with_tracks([[(0, TONE)]]))  # imports, buffers
    tracemalloc.start()
    try:
        n_samples = sum(map(len, read_audio(BytesIO(data), max_seconds=40_000)))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert n_samples == pytest.approx(591 * 16_000, abs=2_000)
    assert peak_bytes < 10e6  # the gap alone has 38 MB


def test_the_default_track_is_read() -> None:
    data = with_tracks([[(0, TONE)], [(0, TONE / 10)]], default=1)
    samples, report = read(data)
    assert np.abs(samples).max() < 0.06
    assert (report.track, report.n_tracks) == (2, 2)


def test_a_silent_track_is_passed_over() -> None:
    data = with_tracks([[(0, SILENCE)], [(0, TONE)]], default=0)
    samples, report = read(data)
    assert np.abs(samples).max() > 0.3
    assert (report.track, report.n_tracks) == (2, 2)


def test_the_track_that_is_asked_for() -> None:
    data = with_tracks([[(0, SILENCE)], [(0, TONE)]])
    assert np.abs(read(data, track=1)[0]).max() < 0.01
    assert read(data, track=1)[1].track == 1
    with pytest.raises(InvalidAudio, match="no audio track 3; it has 2"):
        read(data, track=3)
    with pytest.raises(InvalidAudio, match="no audio track 2; it has 1"):
        read(wav(), track=2)


def test_a_track_that_cannot_be_decoded_is_passed_over() -> None:
    data = with_tracks([[(0, TONE)], [(0, TONE)]], codec="pcm_s16le")
    at = data.index(b"A_PCM/INT/LIT")
    samples, report = read(patched(data, at, b"A_TRUEHD\0\0\0\0\0"))
    assert len(samples) == pytest.approx(16_000, abs=200)
    assert (report.track, codes(report)) == (2, [Code.SKIPPED_TRACK])
    assert "TrueHD" in report.warnings[0].message


@pytest.mark.parametrize("format", ["WAV", "FLAC", "MP3"])
def test_channels_that_cancel_each_other(format: str) -> None:
    samples, report = read(with_libsndfile(np.hstack([TONE, -TONE]), 16_000, format))
    assert np.corrcoef(samples[2000:14_000], TONE[2000:14_000, 0])[0, 1] > 0.95
    assert codes(report) == [Code.OPPOSITE_CHANNELS]


def test_channels_whose_speech_cancels_but_not_their_offset_or_hum() -> None:
    hum = 0.05 + 0.05 * np.sin(2 * np.pi * 50 * np.arange(16_000) / 16_000)[:, None]
    data = with_libsndfile(np.hstack([TONE + hum, -TONE + hum]), 16_000, "WAV", "FLOAT")
    samples, report = read(data)
    assert np.corrcoef(samples[2000:14_000], TONE[2000:14_000, 0])[0, 1] > 0.9
    assert codes(report) == [Code.OPPOSITE_CHANNELS]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_a_sample_that_is_no_number_is_a_click(value: float) -> None:
    broken = TONE.copy()
    broken[8_000] = value
    samples, report = read(with_libsndfile(broken, 16_000, "WAV", "FLOAT"))
    assert samples[8_000] == 0
    assert np.array_equal(np.delete(samples, 8_000), np.delete(TONE[:, 0], 8_000))
    assert codes(report) == [Code.INVALID_SAMPLES]
