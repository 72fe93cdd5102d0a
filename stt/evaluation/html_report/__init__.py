"""A report as one HTML page: results -> what the page shows -> HTML.

The page needs no network and no other file but the recordings, and those only to play them.
"""

from stt.evaluation.html_report.page import render_html

__all__ = ["render_html"]
