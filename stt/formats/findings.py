"""What every JSON answer says about its recording, and the headers that say it elsewhere."""

from typing import Any

from pydantic import BaseModel, Field

from stt.notices import Report

WARNINGS_HEADER = "X-STT-Warnings"
TRACK_HEADER = "X-STT-Track"


class WarningEntry(BaseModel):
    """Something that is missing or doubtful."""

    code: str = Field(description="For programs; never changes.")
    message: str = Field(description="For people.")


class Findings(BaseModel):
    """Keys that all JSON answers share; they are missing where there is nothing to say."""

    warnings: list[WarningEntry] | None = Field(
        None, description="What is missing or doubtful; not there if nothing is."
    )
    track: int | None = Field(
        None, description="The audio track, counted from 1, if the file has several."
    )
    tracks: int | None = Field(None, description="Audio tracks in the file, if it has several.")
    channels: int | None = Field(
        None, description="Channels that were transcribed each by itself, if there are several."
    )


def finding_fields(report: Report) -> dict[str, Any]:
    """The fields of `Findings`."""
    warnings = [WarningEntry(code=each.code, message=each.message) for each in report.warnings]
    several = report.n_tracks > 1
    return {
        "warnings": warnings or None,
        "track": report.track if several else None,
        "tracks": report.n_tracks if several else None,
        "channels": report.n_channels if report.n_channels > 1 else None,
    }


def finding_headers(report: Report) -> dict[str, str]:
    """The headers of an answer in any format: the codes of its warnings, and ``track/tracks``."""
    headers = {}
    if report.warnings:
        headers[WARNINGS_HEADER] = ", ".join(each.code for each in report.warnings)
    if report.n_tracks > 1:
        headers[TRACK_HEADER] = f"{report.track}/{report.n_tracks}"
    return headers
