"""Train a model: CTC, at first with a phoneme loss, AdamW, warm-up-stable-decay."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import jiwer
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from transformers import Wav2Vec2ForCTC

from training.augment import normalise
from training.batches import NO_PHONEME, Batch, BatchStream, Position
from training.corpus import Corpus
from training.frontend import use_matrix_front_end
from training.recipe import Curriculum, Recipe, n_output_frames

CHECKPOINT_HOURS = 1.5
"""Audio hours between checkpoints, each scored on the development set."""
_N_DEV_CLIPS = 100
_LOG_STEPS = 50
_LEAST_CTC_FRAMES_PER_LABEL = 8.0


def learning_rate_factor(seconds: float, curriculum: Curriculum) -> float:
    """Share of the recipe's learning rate after ``seconds`` of audio.

    Rises linearly, stays constant, then falls linearly to zero (Bergsma et al. 2025, arXiv:2502.15938).
    """
    hours = seconds / 3600
    decay_hours = curriculum.audio_hours * curriculum.decay_share
    warm_up = min(1.0, max(hours / curriculum.warm_up_hours, 0.02))
    decay = max(0.0, (curriculum.audio_hours - hours) / decay_hours)
    return curriculum.peak_share * min(warm_up, decay)


def phoneme_weight(seconds: float, curriculum: Curriculum) -> float:
    hours, until = seconds / 3600, curriculum.phonemes_until_hours
    return 1 - hours / until if hours < until else 0.0


@dataclass
class _State:
    """Everything that changes during training."""

    model: Wav2Vec2ForCTC
    phoneme_head: nn.Linear
    """Predicts the phoneme of every frame; discarded after training."""
    optimiser: torch.optim.AdamW
    average: dict[str, Tensor]
    """Exponential moving average of the parameters, the exported weights."""
    position: Position
    step: int = 0

    def save(self, path: Path) -> None:
        state = {
            "model": self.model.state_dict(),
            "phoneme_head": self.phoneme_head.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average,
            "position": asdict(self.position),
            "step": self.step,
        }
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)

    def load(self, path: Path, device: torch.device) -> None:
        state = torch.load(path, map_location=device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.phoneme_head.load_state_dict(state["phoneme_head"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.average = state["average"]
        self.position = Position(**state["position"])
        self.step = state["step"]


def _new_state(recipe: Recipe, n_phonemes: int, device: torch.device, start: Path | None) -> _State:
    """Random weights, or those of the exported model ``start``."""
    model = Wav2Vec2ForCTC(recipe.config)
    if start:
        exported = Wav2Vec2ForCTC.from_pretrained(start, dtype=torch.float32)
        model.load_state_dict(exported.state_dict())
    model = model.to(device)
    # On CPUs the backward pass of fused attention is slow: a step takes 1.4x as long.
    model.set_attn_implementation("eager")
    phoneme_head = nn.Linear(recipe.hidden_size, n_phonemes).to(device)
    named = [*model.named_parameters(), *phoneme_head.named_parameters()]
    plain = [p for name, p in named if p.ndim < 2 or "layer_norm" in name]
    decayed = [p for name, p in named if not (p.ndim < 2 or "layer_norm" in name)]
    groups = [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98), fused=True)
    average = {name: p.detach().clone() for name, p in model.named_parameters()}
    return _State(model, phoneme_head, optimiser, average, Position())


def ctc_loss(logits: Tensor, labels: Tensor, label_lengths: Tensor) -> Tensor:
    """Mean over rows of the negative log likelihood per label.

    ``logits`` is ``[n, n_frames, n_vocab]``. All frames count, padded ones too: frames that CTC
    never saw would decode to anything. A row with few labels or none is divided by an eighth of
    its frames instead, lest a minute of noise outweigh all speech.
    """
    n, n_frames, _ = logits.shape
    log_probs = F.log_softmax(logits.float(), dim=-1).transpose(0, 1)
    input_lengths = torch.full((n,), n_frames, device=logits.device)
    losses = F.ctc_loss(
        log_probs,
        labels,
        input_lengths,
        label_lengths,
        blank=0,
        reduction="none",
        zero_infinity=True,
    )
    return (losses / label_lengths.clamp(min=n_frames / _LEAST_CTC_FRAMES_PER_LABEL)).mean()


def _losses(state: _State, batch: Batch, recipe: Recipe, device: torch.device, weight: float):
    """CTC and phoneme loss of a batch; the latter is 0 once its weight is."""
    mask = batch.attention_mask.to(device) if recipe.is_xlsr_like else None
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=_has_bfloat16(device)):
        hidden = state.model.wav2vec2(batch.waveforms.to(device), attention_mask=mask)[0]
        logits = state.model.lm_head(hidden)
        phoneme_logits = state.phoneme_head(hidden) if weight > 0 else None
    ctc = ctc_loss(logits, batch.labels.to(device), batch.label_lengths.to(device))
    if phoneme_logits is None:
        return ctc, torch.zeros((), device=device)
    targets = batch.phonemes.to(device)
    phoneme = F.cross_entropy(
        phoneme_logits.float().flatten(0, 1), targets.flatten(), ignore_index=NO_PHONEME
    )
    return ctc, torch.nan_to_num(phoneme)  # a batch of noise has no phonemes


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return torch.cpu._is_avx512_bf16_supported()


def _step(
    state: _State, batch: Batch, recipe: Recipe, device: torch.device, learning_rate: float
) -> tuple[float, float]:
    """Update the parameters and their average; return both losses."""
    weight = phoneme_weight(state.position.seconds, recipe.curriculum)
    for group in state.optimiser.param_groups:
        group["lr"] = learning_rate
    ctc, phoneme = _losses(state, batch, recipe, device, weight)
    state.optimiser.zero_grad(set_to_none=True)
    (ctc + weight * phoneme).backward()
    parameters = list(state.model.parameters())
    norm = nn.utils.clip_grad_norm_(parameters, recipe.gradient_clip)
    if torch.isfinite(norm):
        state.optimiser.step()
    state.step += 1
    state.position = batch.position
    decay = min(recipe.ema_decay, (1 + state.step) / (20 + state.step))
    with torch.no_grad():
        averages = list(state.average.values())
        torch._foreach_lerp_(averages, [p.detach() for p in parameters], 1 - decay)
    return float(ctc.detach()), float(phoneme.detach())


def transcribe(
    model: Wav2Vec2ForCTC, recipe: Recipe, corpus: Corpus, device: torch.device, n_clips: int
) -> list[str]:
    """Greedy texts of the first clips, in batches of eight without padded frames."""
    model.eval()
    texts: dict[int, str] = {}
    order = sorted(range(min(n_clips, len(corpus))), key=lambda i: corpus.clips[i].n_samples)
    for first in range(0, len(order), 8):
        indices = order[first : first + 8]
        waveforms = [torch.from_numpy(normalise(corpus.waveform(i))) for i in indices]
        padded = nn.utils.rnn.pad_sequence(waveforms, batch_first=True).to(device)
        mask = nn.utils.rnn.pad_sequence([torch.ones_like(w) for w in waveforms], batch_first=True)
        attention_mask = mask.long().to(device) if recipe.is_xlsr_like else None
        with torch.inference_mode():
            ids = model(padded, attention_mask=attention_mask).logits.argmax(-1).cpu()
        for index, waveform, row in zip(indices, waveforms, ids, strict=True):
            frames = row[: n_output_frames(len(waveform))]
            texts[index] = recipe.vocabulary.decode(frames.tolist())
    model.train()
    return [texts[index] for index in sorted(texts)]


def _swap_average(state: _State) -> None:
    """Swap the parameters and their average."""
    for name, parameter in state.model.named_parameters():
        parameter.data, state.average[name] = state.average[name], parameter.data


def _score(
    state: _State, recipe: Recipe, name: str, dev: Corpus, device: torch.device
) -> dict[str, object]:
    _swap_average(state)
    texts = transcribe(state.model, recipe, dev, device, _N_DEV_CLIPS)
    _swap_average(state)
    references = dev.texts[: len(texts)]
    return {
        f"{name}_cer": round(float(jiwer.cer(references, texts)), 4),
        f"{name}_wer": round(float(jiwer.wer(references, texts)), 4),
        f"{name}_examples": list(zip(references, texts, strict=True))[:3],
    }


@dataclass(frozen=True)
class Deadline:
    """When a run must be over, whatever the machine's speed: its length follows from the clock."""

    at: float
    """Seconds since the epoch."""

    def fit(self, curriculum: Curriculum, hours: float, rate: float) -> Curriculum:
        """The curriculum with as many hours as fit, at ``rate`` hours of audio an hour."""
        left = max(0.0, self.at - time.time()) / 3600
        return replace(curriculum, audio_hours=hours + rate * left)


def train(
    recipe: Recipe,
    corpus: Corpus,
    dev: Mapping[str, Corpus],
    folder: Path,
    seed: int,
    device: torch.device,
    *,
    start: Path | None = None,
    deadline: Deadline | None = None,
) -> Wav2Vec2ForCTC:
    """Train, resuming from ``folder/checkpoint.pt`` if present; return the averaged model.

    Each line of ``folder/log.jsonl`` is one report; each set of ``dev`` is scored at every
    checkpoint. A run begins with random weights or with the exported model ``start``, and is as long
    as the recipe says or ends at ``deadline``. The learning-rate decay starts from a checkpoint that
    is kept (``before_decay.pt``), so that a longer run need not begin anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    stream = BatchStream(recipe, corpus, seed)
    state = _new_state(recipe, stream.n_phonemes, device, start)
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        state.load(checkpoint, device)
    use_matrix_front_end(state.model)
    state.model.train()
    started, first_second = time.monotonic(), state.position.seconds
    next_checkpoint = state.position.seconds / 3600 + CHECKPOINT_HOURS
    curriculum = recipe.curriculum
    losses: list[tuple[float, float]] = []
    with (folder / "log.jsonl").open("a", encoding="utf-8") as log:

        def rate() -> float:
            elapsed = time.monotonic() - started
            return (state.position.seconds - first_second) / max(elapsed, 1e-9)

        def report(**entries: object) -> None:
            hours = round(state.position.seconds / 3600, 3)
            line = {"step": state.step, "hours": hours, "rate": round(rate(), 1), **entries}
            print(json.dumps(line, ensure_ascii=False), flush=True)
            print(json.dumps(line, ensure_ascii=False), file=log, flush=True)

        def save_and_score(**entries: object) -> None:
            state.save(checkpoint)
            for name, spoken in dev.items():
                entries |= _score(state, recipe, name, spoken, device)
            report(**entries)

        n_parameters = sum(p.numel() for p in state.model.parameters())
        report(parameters=n_parameters, clips=len(corpus), seconds=round(corpus.total_seconds))
        for batch in stream.starting_at(state.position):
            seconds = state.position.seconds
            if deadline and seconds > first_second:
                curriculum = deadline.fit(recipe.curriculum, seconds / 3600, rate())
            if seconds >= curriculum.audio_hours * 3600:
                break
            factor = learning_rate_factor(seconds, curriculum)
            losses.append(_step(state, batch, recipe, device, factor * recipe.learning_rate))
            if state.step % _LOG_STEPS == 0:
                ctc, phoneme = (
                    round(sum(loss) / len(losses), 4) for loss in zip(*losses, strict=True)
                )
                learning_rate = round(factor * recipe.learning_rate, 6)
                report(ctc=ctc, phoneme=phoneme, learning_rate=learning_rate)
                losses = []
            if state.position.seconds / 3600 >= next_checkpoint:
                next_checkpoint += CHECKPOINT_HOURS
                save_and_score()
                if factor == curriculum.peak_share:
                    state.save(folder / "before_decay.pt")
        save_and_score(finished=True)
    _swap_average(state)
    return state.model


def with_hours(recipe: Recipe, audio_hours: float | None) -> Recipe:
    """The recipe with another length of training."""
    if audio_hours is None:
        return recipe
    return replace(recipe, curriculum=replace(recipe.curriculum, audio_hours=audio_hours))
