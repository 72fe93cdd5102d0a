"""``python -m training ko-mini``: texts, corpus, training, export, evaluation, model card."""

import argparse
import datetime
import json
from pathlib import Path

import torch

from training.corpus import Corpus, write_corpus
from training.evaluate import evaluate
from training.export import BUNDLED, export
from training.figures import TrainingRun
from training.recipe import RECIPES, Recipe
from training.train import train, with_hours


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def training_sets(
    recipe: Recipe, folder: Path, seed: int, n_processes: int
) -> tuple[Corpus, Corpus]:
    """Synthesise the training and development sets."""
    splits = recipe.make_splits(recipe.n_train_texts, seed)
    train_set, dev_set = (
        write_corpus(
            folder / name,
            texts,
            recipe.delivery,
            seed,
            lower_case=recipe.speaks_lower_case,
            n_processes=n_processes,
        )
        for name, texts in (("train", splits.train), ("dev", splits.dev))
    )
    return train_set, dev_set


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


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("recipe", choices=sorted(RECIPES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--audio-hours", type=float, help="replaces the recipe's hours")
    parser.add_argument("--work-dir", type=Path, help="corpus and checkpoints; default: runs/NAME")
    parser.add_argument("--folder", type=Path, help="the model; default: stt/bundled/NAME")
    options = parser.parse_args()

    recipe = with_hours(RECIPES[options.recipe], options.audio_hours)
    work_dir = options.work_dir or Path("runs") / recipe.name
    folder = options.folder or BUNDLED / recipe.name
    device = _device(options.device)
    torch.set_num_threads(options.threads)

    corpus, dev = training_sets(recipe, work_dir / "corpus", options.seed, options.threads)
    model = train(recipe, corpus, dev, work_dir, options.seed, device)
    export(model, recipe, folder)
    run = TrainingRun(
        date=datetime.date.today().isoformat(),
        command=f"uv run --group training python -m training {recipe.name}",
        seed=options.seed,
        device=device.type,
        threads=options.threads,
        n_texts=len(corpus),
        corpus_hours=corpus.total_seconds / 3600,
        audio_hours=recipe.curriculum.audio_hours,
        minutes=minutes_of(work_dir / "log.jsonl"),
    )
    evaluate(recipe, folder, work_dir, options.seed, run)


if __name__ == "__main__":
    main()
