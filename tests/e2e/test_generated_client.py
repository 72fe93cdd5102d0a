"""A client generated from the OpenAPI document, as it comes out of the generator."""

import json
import subprocess
import sys
from pathlib import Path

from tests.audio_files import tones, with_libsndfile
from tests.live import live

USE = """
import io, sys
from client import Client
from client.api.service import health, languages
from client.api.transcription import transcribe
from client.models import BodyTranscribe
from client.types import File

service = Client(base_url=sys.argv[1])
form = BodyTranscribe(file=File(open(sys.argv[2], "rb"), "clip.wav"), lang="ko")
answer = transcribe.sync(client=service, body=form)
assert (answer.text, answer.language) == ("ab", "KR"), answer
form = BodyTranscribe(file=File(io.BytesIO(b"no audio"), "x.wav"))
problem = transcribe.sync(client=service, body=form)
assert (problem.status, problem.code) == (415, "unsupported_format"), problem
assert health.sync(client=service).status == "ok"
assert [each.code for each in languages.sync(client=service).languages] == ["KR"]
"""


def test_a_generated_client_compiles_and_transcribes(tmp_path: Path) -> None:
    clip = tmp_path / "clip.wav"
    clip.write_bytes(with_libsndfile(tones(1.0, 16000), 16000, "WAV"))
    with live() as running:
        specification = tmp_path / "openapi.json"
        specification.write_text(json.dumps(running.get("/openapi.json").json()))
        generator = Path(sys.executable).with_name("openapi-python-client")
        generated = subprocess.run(
            [generator, "generate", "--path", specification, "--output-path", "client",
             "--meta", "none"],
            cwd=tmp_path, capture_output=True, check=True, text=True,
        )  # fmt: skip
        assert "Endpoint" not in generated.stdout + generated.stderr  # one that it had to skip
        program = [sys.executable, "-W", "error", "-c", USE, running.url, str(clip)]
        subprocess.run(program, cwd=tmp_path, check=True)
