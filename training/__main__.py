"""``python -m training ko-mini``: texts, corpus, training, export, evaluation, model card."""

import argparse
import datetime
import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from training.corpus import Corpus, write_corpus
from training.evaluate import evaluate
from training.everyday import Utterance, everyday_texts, mixture
from training.export import BUNDLED, export
from training.figures import TrainingRun
from training.recipe import CONTINUED, RECIPES, Recipe
from training.train import Deadline, train, with_hours


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


_N_TIMES = 2
"""How often each everyday sentence is spoken for training."""


@dataclass(frozen=True)
class TrainingSets:
    train: Corpus
    dev: dict[str, Corpus]


def training_sets(
    recipe: Recipe,
    folder: Path,
    seed: int,
    clips_seed: int,
    n_processes: int,
    everyday_table: Path | None,
) -> TrainingSets:
    """Synthesise the training and development sets.

    ``seed`` decides which texts are held out; ``clips_seed`` who speaks each training text, and how.
    """
    splits = recipe.make_splits(recipe.n_train_texts, seed)
    delivery = recipe.training_delivery or recipe.delivery
    dev_texts = {"dev": splits.dev}
    utterances = [Utterance(text, text) for text in splits.train]
    if everyday_table:
        everyday = everyday_texts(everyday_table, splits, seed)
        utterances = mixture(splits.train, everyday.train, _N_TIMES, clips_seed)
        dev_texts["everyday_dev"] = everyday.dev
    train_set = write_corpus(
        folder / "train",
        [each.text for each in utterances],
        delivery,
        clips_seed,
        spoken=[each.spoken for each in utterances],
        lower_case=recipe.speaks_lower_case,
        n_processes=n_processes,
    )
    dev_sets = {
        name: write_corpus(
            folder / name, texts, recipe.delivery, seed, lower_case=recipe.speaks_lower_case
        )
        for name, texts in dev_texts.items()
    }
    return TrainingSets(train_set, dev_sets)


def minutes_of(log: Path) -> float:
    """Wall time of a training from its log, summed over resumed parts."""
    minutes, first_hours, last = 0.0, 0.0, None
    for line in log.read_text(encoding="utf-8").splitlines():
        report = json.loads(line)
        if "parameters" in report:  # first line of each part
            minutes += _part_minutes(first_hours, last)
            first_hours, last = report["hours"], None
        else:
            last = report
    return minutes + _part_minutes(first_hours, last)


def _part_minutes(first_hours: float, last: dict | None) -> float:
    return (last["hours"] - first_hours) * 60 / last["rate"] if last else 0.0


def _clock(text: str) -> float:
    """The next time that the clock shows ``HH:MM``, in seconds since the epoch."""
    now = datetime.datetime.now()
    asked = datetime.datetime.strptime(text, "%H:%M").replace(now.year, now.month, now.day)
    return (asked if asked > now else asked + datetime.timedelta(days=1)).timestamp()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("recipe", choices=sorted(RECIPES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--clips-seed",
        type=int,
        help="speaks and orders the training clips anew, and leaves the held-out sets as they are; "
        "default: --seed",
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--audio-hours", type=float, help="replaces the recipe's hours")
    parser.add_argument(
        "--everyday", type=Path, help="a CSV of everyday Korean sentences to train with too"
    )
    parser.add_argument("--start", type=Path, help="an exported model to go on from")
    parser.add_argument("--finish-by", type=_clock, help="HH:MM; the run is as long as that allows")
    parser.add_argument("--work-dir", type=Path, help="corpus and checkpoints; default: runs/NAME")
    parser.add_argument("--folder", type=Path, help="the model; default: stt/bundled/NAME")
    options = parser.parse_args()
    if options.everyday and RECIPES[options.recipe].language != "ko":
        parser.error("--everyday: the sentences are Korean")
    if options.clips_seed is None:
        options.clips_seed = options.seed
    return options


def _command(recipe: Recipe, options: argparse.Namespace) -> str:
    words = ["uv run --group training python -m training", recipe.name]
    if options.everyday:
        words.append(f"--everyday {options.everyday.name}")
    if options.start:
        words.append(f"--start {options.start}")
    if options.clips_seed != options.seed:
        words.append(f"--clips-seed {options.clips_seed}")
    return " ".join(words)


def main() -> None:
    options = _arguments()
    recipe = RECIPES[options.recipe]
    if options.start:
        recipe = replace(recipe, curriculum=CONTINUED)
    recipe = with_hours(recipe, options.audio_hours)
    work_dir = options.work_dir or Path("runs") / recipe.name
    folder = options.folder or BUNDLED / recipe.name
    device = _device(options.device)
    torch.set_num_threads(options.threads)

    sets = training_sets(
        recipe, work_dir / "corpus", options.seed, options.clips_seed, options.threads,
        options.everyday,
    )  # fmt: skip
    deadline = Deadline(options.finish_by) if options.finish_by else None
    model = train(
        recipe, sets.train, sets.dev, work_dir, options.clips_seed, device,
        start=options.start, deadline=deadline,
    )  # fmt: skip
    export(model, recipe, folder)
    log = work_dir / "log.jsonl"
    run = TrainingRun(
        date=datetime.date.today().isoformat(),
        command=_command(recipe, options),
        seed=options.seed,
        device=device.type,
        threads=options.threads,
        n_texts=len(set(sets.train.texts)),
        corpus_hours=sets.train.total_seconds / 3600,
        audio_hours=json.loads(log.read_text(encoding="utf-8").splitlines()[-1])["hours"],
        minutes=minutes_of(log),
        is_continued=options.start is not None,
        has_everyday=options.everyday is not None,
    )
    evaluate(recipe, folder, work_dir, options.seed, run, options.everyday)


if __name__ == "__main__":
    main()
