"""The model card: ``README.md`` beside the weights, with every number from `Figures`."""

from pathlib import Path

from training.figures import (
    ConfidenceFigure,
    Figures,
    LanguageModelFigure,
    Precisions,
    Score,
    TimeErrors,
    WordTimes,
)
from training.recipe import Recipe

_LANGUAGE_NAMES = {"ko": "Korean", "en": "English"}
_SPELLING = {
    "ko": "conjoining jamo (Unicode NFD, 67 of them) and `|` between words; compose with NFC",
    "en": "capital letters and the apostrophe, `|` between words",
}
_KIND = {
    True: "layer norm in every convolution, stable layer norm, attention mask (as XLSR has it)",
    False: "group norm in the first convolution, post layer norm, no attention mask "
    "(as wav2vec2-base-960h has it)",
}
_BACKENDS = {"torch": "torch", "openvino": "OpenVINO"}
_DESCRIPTIONS = {
    "test_sentences": "new sentences of known words and known word pairs",
    "test_pairs": "sentences with two neighbouring words that were never neighbours in training",
    "test_words": "sentences with at least one word that was not in training in any form",
    "chat": "the last tenth of the conversations",
    "gap_0": "no pause between words (`-g 0`)",
    "gap_3_to_6": "short pauses between words (`-g 3` to `-g 6`)",
    "slow": "80-86 words a minute (training: 90-185)",
    "fast": "205-240 words a minute (training: 90-185)",
    "varied": "the first 120 sentences, spoken again; the base of the noisy and resampled rows",
    "telephone_8_khz": "resampled to 8 kHz and back",
    "via_44_1_khz": "resampled to 44.1 kHz and back",
}


def _describe(name: str) -> str:
    if name in _DESCRIPTIONS:
        return _DESCRIPTIONS[name]
    parts = name.split("_")
    match parts:
        case ["voice", variant]:
            return f"voice variant `{variant}`, not in training"
        case [colour, "noise", ratio, "db"]:
            return f"{colour} noise, signal to noise {ratio} dB"
        case ["long", seconds, "s"]:
            return f"sentences joined to at most {seconds} s, one forward pass"
    raise ValueError(f"expected a set that the card describes, got {name!r}")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _row(name: str, score: Score) -> str:
    target = ""
    if score.target is not None:
        verdict = "met" if score.cer <= score.target else "**missed**"
        target = f"at most {_percent(score.target)}: {verdict}"
    cells = (
        f"`{name}`",
        _describe(name),
        str(score.n_clips),
        _percent(score.cer),
        _percent(score.cer_without_spaces),
        _percent(score.wer),
        _percent(score.exact),
        target,
    )
    return "| " + " | ".join(cells) + " |"


def _empty_line(figures: Figures) -> str:
    empty = figures.empty
    line = (
        f"{empty.n_clips} clips of digital silence, white, pink and brown noise and mains hum, "
        f"-60 to -10 dBFS, 0.5 to 20 s: the text is empty for "
        f"{empty.n_clips - len(empty.written)} of them."
    )
    if empty.written:
        written = "; ".join(f"{name}: `{text}`" for name, text in empty.written.items())
        line += f" Not empty: {written}."
    return line


def _padding_line(figures: Figures) -> str:
    padding = figures.padding
    if padding is None:
        return (
            "No attention mask: padding a clip in a batch changes its result. "
            "Transcribe one clip at a time."
        )
    return (
        f"{padding.n_same_texts} of {padding.n_clips} clips have the same text in a padded batch of "
        f"eight as alone (logits within {padding.largest_logit_difference:.1e}, without padded frames)."
    )


def _verdict(is_met: bool) -> str:
    return "met" if is_met else "**missed**"


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"


def _words_section(name: str, times: WordTimes) -> str:
    def row(label: str, errors: TimeErrors) -> str:
        is_met = (
            errors.median_absolute <= times.target_median
            and errors.high_absolute <= times.target_high
        )
        return (
            f"| {label} | {1000 * errors.median:+.0f} ms | {_milliseconds(errors.median_absolute)} "
            f"| {_milliseconds(errors.high_absolute)} | at most "
            f"{_milliseconds(times.target_median)} and {_milliseconds(times.target_high)}: "
            f"{_verdict(is_met)} |"
        )

    return f"""## Word times

{times.n_words} recognised words of {times.n_clips} held-out clips (`test_sentences`, spoken with a gap, `-g 1` to
`-g 6`, so that espeak-ng's phoneme events tell where a word begins and ends), {times.date}.

| | median of signed error | median of absolute error | 95th percentile | target |
|---|---|---|---|---|
{row("starts", times.starts)}
{row("ends", times.ends)}

CTC emits a symbol as a spike somewhere within its sound. The constant part of that error was measured
on the development set: {1000 * times.start_lag:+.0f} ms for starts and {1000 * times.end_lag:+.0f} ms for ends. The service's registry
(`stt/languages.py`) corrects it; the table shows the error that remains. Outside the service you must
apply this correction yourself.

```sh
uv run --group training python -m training.evaluate {name} --only words
uv run --group training python -m training.calibrate {name}          # the lags
```
"""


def _confidence_section(name: str, figure: ConfidenceFigure) -> str:
    verdict = _verdict(figure.calibration_error <= figure.target)
    return f"""## Confidence

A word's confidence is the probability that the whole word is right: the product, over its symbols,
of the posterior at each symbol's most probable frame. The log-probs are first divided by a
temperature of {figure.temperature:g}, fitted on the development set.

Held-out clips (`test_sentences`) in white noise, 0 to 20 dB, {figure.date}: {figure.n_words} words, {_percent(figure.share_right)} of them right, mean confidence {_percent(figure.mean_confidence)}.
Expected calibration error in ten bins: {_percent(figure.calibration_error)} (at most {_percent(figure.target)}: {verdict}; {_percent(figure.error_without)} at temperature 1).

![Reliability diagram](../../../docs/images/confidence-{name}.png)

```sh
uv run --group training python -m training.evaluate {name} --only confidence
```
"""


def _precision_section(recipe: Recipe, precisions: Precisions) -> str:
    exact = precisions.rows[0]
    exact_convolutions = "the first convolution" if recipe.is_xlsr_like else "the convolutions"
    rows = []
    for row in precisions.rows:
        more = row.cer - exact.cer
        target = ""
        if row.target is not None:
            target = f"at most +{100 * row.target:.2f} points: {_verdict(more <= row.target)}"
        cells = (
            f"{_BACKENDS[row.backend]}, {row.precision}",
            f"{100 * row.cer:.2f} %",
            f"{100 * more:+.2f} points",
            f"{100 * row.difference:.2f} %",
            _percent(row.same),
            target,
        )
        rows.append("| " + " | ".join(cells) + " |")
    table = "\n".join(rows)
    return f"""## Precisions

The {precisions.n_clips} clips of `test_sentences`, computed by the service's own engines, {precisions.date}, {precisions.libraries}.
int8 is made by `stt optimize`: weights and activations, with ranges from {precisions.n_calibration_clips} clips of the development
set. {exact_convolutions.capitalize()} and what follows attention's softmax stay in bf16. *Unlike fp32* is the character
error rate against fp32's text instead of the true text.

| computed by | CER | more than fp32 | unlike fp32 | clips like fp32 | target |
|---|---|---|---|---|---|
{table}

```sh
uv run --group training --extra openvino python -m training.evaluate {recipe.name} --only precision
```
"""


_CREDIT = """
The conversations are [songys/Chatbot_data](https://github.com/songys/Chatbot_data), MIT licence, copyright 2018
Youngsook Song; nine tenths of the lines that are in Hangul only are counted.
"""


def _language_model_section(language: str, figure: LanguageModelFigure) -> str:
    units = "syllables" if language == "ko" else "letters"
    sources = f"{figure.n_texts:,} texts of the grammar"
    if figure.n_chat_texts:
        sources += f" and {figure.n_chat_texts:,} of everyday conversations"
    rows = "\n".join(
        f"| `{name}` | {_describe(name)} | {each.n_texts:,} | {each.perplexity:.2f} "
        f"| {each.bits_per_character:.3f} | {_percent(each.unknown)} |"
        for name, each in figure.held_out.items()
    )
    return f"""## Language model

`language_model/` has an n-gram model of {units} with the space between words as one of them: order {figure.order},
{sum(figure.n_ngrams):,} n-grams, {figure.n_bytes / 1e6:.2f} MB, modified Kneser-Ney, pruned to the size. It is counted in
{sources}. No held-out text of this page is among them.
{_CREDIT if figure.n_chat_texts else ""}
Held-out texts, {figure.date}:

| set | what | texts | perplexity per unit | bits per character | unknown units |
|---|---|---|---|---|---|
{rows}

```sh
{figure.command}
```
"""


def _sections(recipe: Recipe, figures: Figures) -> str:
    """The sections that are measured one by one."""
    sections = []
    if figures.words:
        sections.append(_words_section(figures.model, figures.words))
    if figures.confidence:
        sections.append(_confidence_section(figures.model, figures.confidence))
    if figures.precision:
        sections.append(_precision_section(recipe, figures.precision))
    if figures.language_model:
        sections.append(_language_model_section(recipe.language, figures.language_model))
    return "".join(f"{section}\n" for section in sections)


def write_card(recipe: Recipe, figures: Figures, path: Path) -> None:
    """Render the card of ``recipe`` from its figures."""
    run, curriculum, delivery = figures.training, recipe.curriculum, recipe.delivery
    note = f"\n{run.note}" if run.note else ""
    language = _LANGUAGE_NAMES[recipe.language]
    voices = ", ".join(f"`{voice}`" for voice in dict.fromkeys(delivery.voices))
    rows = "\n".join(_row(name, score) for name, score in figures.scores.items())
    path.write_text(
        f"""---
license: apache-2.0
language: {recipe.language}
library_name: transformers
pipeline_tag: automatic-speech-recognition
tags:
- wav2vec2
- ctc
- automatic-speech-recognition
- synthetic-speech
- espeak-ng
---

# {figures.model}

A small {language} `Wav2Vec2ForCTC` model, trained from scratch on synthetic speech. With it you can try
and test the service end to end, offline, on a laptop. **It was trained only on espeak-ng, a
rule-based synthesiser, and does not recognise people.** For real speech, configure one of the
published checkpoints that the service's README names.

{figures.n_parameters / 1e6:.2f} million parameters, {figures.n_bytes / 1e6:.1f} MB in float16. It loads with
unmodified transformers classes, `Wav2Vec2Processor` and `Wav2Vec2ForCTC`. Its input is 16 kHz mono.

- Architecture: 7 convolutions (widths {", ".join(map(str, recipe.conv_widths))}; one frame per 20 ms),
  {recipe.n_layers} transformer layers of width {recipe.hidden_size}; {_KIND[recipe.is_xlsr_like]}.
- Spelling: {_SPELLING[recipe.language]}.

## Data

{run.n_texts:,} different texts of one to about ten words, generated from a hand-written lexicon and grammar
(`training/text_{recipe.language}.py`) and spoken by espeak-ng: {run.corpus_hours:.1f} hours. No human recordings.
Voices {voices}; {delivery.words_per_minute[0]}-{delivery.words_per_minute[1]} words a minute,
pitch {delivery.pitch[0]}-{delivery.pitch[1]}, **word gap `-g` {delivery.word_gap[0]} to {delivery.word_gap[1]}, drawn evenly, in training and test alike**
(without a gap, nothing in the audio marks a space; see the row `gap_0`).
Augmentation: three clips in ten are stretched by up to {100 * delivery.stretch:.0f} %, about half have noise (4-35 dB) and
a tenth are limited to the telephone band. Clips are joined up to a minute. {_percent(curriculum.empty_share)} of the rows hold
only noise or silence.

Held out from training: all test sentences, one pair of neighbouring words in twelve, and a set of
words in every inflected form.

## Recipe

Connectionist temporal classification (CTC) from random weights. espeak-ng's phoneme events give a
frame-by-frame target to a second output layer, whose loss fades out over the first
{curriculum.phonemes_until_hours:g} hours of audio; it takes CTC off the all-blank plateau. Short clips come first.
AdamW; peak learning rate {recipe.learning_rate:g} with a warm-up, a constant phase and a decay over the last
{100 * curriculum.decay_share:.0f} %; batches of {recipe.batch_seconds:g} s. The exported weights are an exponential moving average.

{run.audio_hours:.1f} hours of audio were heard (padding included), seed {run.seed}, on `{run.device}` with
{run.threads} thread(s), in {run.minutes:.0f} minutes on a machine with other work running ({run.date}).{note}

```sh
{run.command}
```

The command repeats everything from the texts to this page; it needs espeak-ng's library. Another
machine rounds differently, so its weights are close to these but not equal.

## Figures

Measured {figures.date} on the exported float16 weights, run in float32, greedy decoding, one clip
at a time, with {figures.machine.processor}, Python {figures.machine.python},
torch {figures.machine.torch}, transformers {figures.machine.transformers}. Error rates are of characters (CER) and words (WER), by jiwer.

| set | what | clips | CER | CER without spaces | WER | clips without error | target |
|---|---|---|---|---|---|---|---|
{rows}

{_empty_line(figures)}

{_padding_line(figures)}

```sh
{figures.command}
```

This synthesises the held-out texts again and repeats every figure of this page; `figures.json` holds them
all.

{_sections(recipe, figures)}## Limits

- It knows only the synthetic voices above; see the rows of voices that were not in training.
- Its vocabulary is small. New words are spelled by ear, which {language} spelling does not always allow.
- Most errors are in spaces and homophones.
- A window of a longer recording can read differently from the same stretch in one long forward pass,
  because attention sees the whole input.
""",
        encoding="utf-8",
    )
