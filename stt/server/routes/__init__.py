"""HTTP routes: each parses, calls and renders."""
