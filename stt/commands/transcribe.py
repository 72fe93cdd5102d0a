"""``stt transcribe``: turn files, folders or standard input into text, captions or JSON."""

import argparse
import logging
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from stt.asked import Asked
from stt.commands.arguments import (
    add_channels,
    add_decoding,
    add_language,
    add_layout,
    add_settings,
    add_speakers,
    add_track,
    begin,
    read_asked,
)
from stt.commands.inputs import Recording, find_recordings
from stt.commands.outputs import FORMATS, plan_outputs, write_whole
from stt.commands.progress import Progress
from stt.commands.recognition import (
    Recognition,
    Recognizer,
    open_recognizer,
    with_language_model,
)
from stt.errors import ConfigurationError
from stt.formats.layout import LAYOUT, Layout
from stt.formats.table import SPEAKER_FORMATS
from stt.normalisation import find_path
from stt.settings.folders import state_folder

logger = logging.getLogger(__name__)

KEY_VARIABLE = "STT_API_KEY"
MAX_JOBS_AT_ONCE = 100


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of this command's flags."""
    parser = argparse.ArgumentParser(
        prog="stt transcribe",
        allow_abbrev=False,
        description="Transcribe recordings with a model in this process, or with a running service "
        "(--url). Exit status: 0 success, 1 some recording failed, 2 wrong usage or "
        "settings, 130 interrupted.",
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a recording, a folder of recordings, or - (stdin)"
    )
    add_language(parser)
    add_track(parser)
    add_channels(parser)
    add_speakers(parser)
    add_decoding(parser)
    parser.add_argument("--format", choices=FORMATS, default="txt", help="output format [txt]")
    add_layout(parser)
    parser.add_argument(
        "--output-dir",
        type=Path,
        metavar="DIR",
        help="write each result to DIR/<path>.<format>; default: standard output",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace results that exist in DIR; default: skip them"
    )
    parser.add_argument(
        "--url", help="send the recordings to this service, which then chooses the model"
    )
    parser.add_argument(
        "--api-key",
        metavar="KEY",
        default=os.environ.get(KEY_VARIABLE),
        help=f"key of the service; safer in {KEY_VARIABLE}, since other users can see flags",
    )
    parser.add_argument(
        "--job",
        action="store_true",
        help="submit the recordings to --url as jobs, which continue without this command",
    )
    parser.add_argument(
        "--jobs-at-once",
        type=jobs_at_once,
        default=4,
        metavar="N",
        help="how many jobs may be at the service at a time [4]",
    )
    parser.add_argument(
        "--keep-jobs",
        action="store_true",
        help="leave jobs and their results at the service; default: remove them once fetched",
    )
    add_settings(parser)
    return parser


def jobs_at_once(text: str) -> int:
    """A number of jobs.

    Raises:
        ArgumentTypeError: it is out of bounds.
    """
    number = int(text)
    if not 1 <= number <= MAX_JOBS_AT_ONCE:
        raise argparse.ArgumentTypeError(f"expected 1 to {MAX_JOBS_AT_ONCE}")
    return number


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status.

    Raises:
        SttError: the run could not start.
    """
    options, settings = begin(make_parser(), arguments)
    if options.url and options.lm:
        raise ConfigurationError(
            "--lm names a file of this machine, and the service at --url uses its own: set STT_LMS "
            "there, and --language-model here."
        )
    if options.job and not options.url:
        raise ConfigurationError("--job needs --url: only a service has jobs.")
    asked = read_asked(options)
    check_speakers(asked, options.format)
    settings = with_language_model(settings, options.lang, options.lm)
    recordings = find_recordings(options.files)
    targets = None
    if options.output_dir:
        targets = plan_outputs(recordings, options.output_dir, options.format)
        try:
            options.output_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"--output-dir {options.output_dir}: {error.strerror}."
            ) from None
    pending = [each for each in recordings if options.force or not _is_done(each, targets)]
    n_skipped = len(recordings) - len(pending)
    if not pending:
        logger.info(
            "nothing to do: all %d results exist already (--force replaces them)", n_skipped
        )
        return 0
    several = len(recordings) > 1
    if options.job:
        progress = _follow_jobs(pending, options, asked, targets, several=several)
    else:
        with ExitStack() as stack:
            recognizer: Recognizer
            if options.url:
                from stt.commands.remote import RemoteRecognizer

                recognizer = RemoteRecognizer(options.url, options.lang, options.api_key, asked)
            else:
                recognizer = stack.enter_context(open_recognizer(options.lang, settings, asked))
            progress = transcribe_all(
                pending,
                recognizer,
                options.format,
                targets,
                several=several,
                track=options.track,
                layout=Layout(options.max_line_width, options.max_line_count),
            )
    if several:
        _summarise(progress, n_skipped)
    return 1 if progress.n_failed else 0


def check_speakers(asked: Asked, format: str) -> None:
    """Check what is asked of the speakers before anything is loaded or sent.

    Raises:
        ConfigurationError: it contradicts itself or the format.
    """
    if asked.diarize and asked.channels == "split":
        raise ConfigurationError("--diarize and --channels split exclude each other.")
    if asked.num_speakers and not asked.diarize:
        raise ConfigurationError("--num-speakers needs --diarize.")
    if format in SPEAKER_FORMATS and not asked.tells_apart:
        raise ConfigurationError(
            f"--format {format} says who speaks, so it needs --diarize or --channels split."
        )


def transcribe_all(
    recordings: Sequence[Recording],
    recognizer: Recognizer,
    format: str,
    targets: dict[Recording, Path] | None = None,
    *,
    several: bool = True,
    track: int | None = None,
    layout: Layout = LAYOUT,
) -> Progress:
    """Transcribe recordings one by one; failures are logged and the run continues.

    Args:
        recordings: The recordings.
        recognizer: Transcribes them.
        format: One of `FORMATS`.
        targets: The file of each result; None for standard output.
        several: Print each recording's name above its result on standard output.
        track: Number of the audio track of all recordings; None chooses one for each.
        layout: How large subtitles may be.
    """
    output = Output(format, targets, layout, several=several)
    with Progress(len(recordings), sum(each.size for each in recordings)) as progress:
        for recording in recordings:
            with progress.recording(recording.name, recording.size) as counted:
                with recording.open() as file:
                    recognition = recognizer.recognize(counted(file), recording.name, track)
                output.write(recording, recognition, progress)
                progress.count(recognition.transcript.duration_seconds)
    return progress


def _follow_jobs(
    recordings: Sequence[Recording],
    options: argparse.Namespace,
    asked: Asked,
    targets: dict[Recording, Path] | None,
    *,
    several: bool,
) -> Progress:
    """Transcribe recordings as jobs of a service."""
    from stt.commands.following import Following
    from stt.commands.jobs import JobService
    from stt.commands.submitted import Submitted

    service = JobService(options.url, options.lang, options.api_key, asked)
    submitted = Submitted(state_folder(None) / "submitted", service.url, service.fields)
    following = Following(service, submitted, at_once=options.jobs_at_once, keep=options.keep_jobs)
    layout = Layout(options.max_line_width, options.max_line_count)
    output = Output(options.format, targets, layout, several=several)
    return following.run(recordings, output.write, options.track)


class Output:
    """Writes results to their files, or to standard output."""

    def __init__(
        self, format: str, targets: dict[Recording, Path] | None, layout: Layout, *, several: bool
    ) -> None:
        """See `transcribe_all`."""
        self._format, self._targets, self._layout = format, targets, layout
        self._several = several

    def write(self, recording: Recording, recognition: Recognition, progress: Progress) -> None:
        """Write one result, and log its warnings.

        Raises:
            OSError: the file cannot be written.
        """
        _warn(recognition, recording.name)
        laid_out = replace(recognition, layout=self._layout)
        text = FORMATS[self._format](laid_out, recording.name)
        if self._targets is not None:
            write_whole(self._targets[recording], text)
            return
        if self._several and self._format != "json":
            gap = "\n" if progress.n_done else ""
            text = f"{gap}==> {recording.name} <==\n{text}"
        progress.write(text)


def _warn(recognition: Recognition, name: str) -> None:
    report = recognition.transcript.report
    for warning in report.warnings:
        logger.warning("%s: %s", name, warning.message)
    if report.n_tracks > 1:
        logger.info("%s: audio track %d of %d", name, report.track, report.n_tracks)


def _is_done(recording: Recording, targets: dict[Recording, Path] | None) -> bool:
    """Whether the result exists already; for standard input, it never counts."""
    return (
        targets is not None
        and recording.path is not None
        and find_path(targets[recording]).exists()
    )


def _summarise(progress: Progress, n_skipped: int) -> None:
    parts = [f"{progress.n_done} transcribed"]
    if n_skipped:
        parts.append(f"{n_skipped} skipped, as their results exist (--force replaces them)")
    if progress.n_failed:
        parts.append(f"{progress.n_failed} failed")
    logger.info(
        "%s; %.1f s of audio, %.1f × real time",
        ", ".join(parts), progress.audio_seconds, progress.speed,
    )  # fmt: skip
