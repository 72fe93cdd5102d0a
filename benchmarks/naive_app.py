"""A typical one-file app, the baseline of `benchmarks.service`.

``MODEL=/folder uv run uvicorn benchmarks.naive_app:app``. The model is a global and runs inside the
async handler, so nothing else is answered meanwhile.
"""

import os
import tempfile

import librosa
import torch
from fastapi import FastAPI, File, Form, UploadFile
from transformers import Wav2Vec2ForCTC, Wav2Vec2Processor

MODEL = os.environ["MODEL"]

app = FastAPI()
processor = Wav2Vec2Processor.from_pretrained(MODEL)
model = Wav2Vec2ForCTC.from_pretrained(MODEL, dtype=torch.float32).eval()


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/transcribe")
async def transcribe(file: UploadFile = File(...), lang: str = Form("KR")) -> dict[str, str]:  # noqa: B008
    with tempfile.NamedTemporaryFile(suffix=os.path.splitext(file.filename or "")[1]) as copy:  # noqa: PTH122
        copy.write(await file.read())
        copy.flush()
        speech, _ = librosa.load(copy.name, sr=16_000)
    inputs = processor(speech, sampling_rate=16_000, return_tensors="pt", padding=True)
    with torch.no_grad():
        logits = model(inputs.input_values).logits
    text = processor.batch_decode(torch.argmax(logits, dim=-1))[0]
    return {"text": text, "language": lang, "model": MODEL}
