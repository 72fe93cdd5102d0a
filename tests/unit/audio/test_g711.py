"""G.711 against FFmpeg's decoders."""

import av
import numpy as np
import pytest

from stt.audio.g711 import Expand, alaw, mulaw


@pytest.mark.parametrize(("expand", "codec"), [(mulaw, "pcm_mulaw"), (alaw, "pcm_alaw")])
def test_every_octet_is_expanded_as_ffmpeg_does(expand: Expand, codec: str) -> None:
    octets = bytes(range(256))
    context = av.CodecContext.create(codec, "r")
    context.sample_rate, context.layout = 8000, "mono"  # type: ignore[attr-defined]
    (frame,) = context.decode(av.Packet(octets))  # type: ignore[attr-defined]
    np.testing.assert_array_equal(expand(octets), frame.to_ndarray().reshape(-1))


def test_silence_is_nearly_zero_and_the_loudest_is_full_scale() -> None:
    assert mulaw(b"\xff\x7f").tolist() == [0, 0]
    assert alaw(b"\xd5\x55").tolist() == [8, -8]
    assert mulaw(b"\x80\x00").tolist() == [32_124, -32_124]
    assert alaw(b"\xaa\x2a").tolist() == [32_256, -32_256]
    assert len(mulaw(b"")) == 0
