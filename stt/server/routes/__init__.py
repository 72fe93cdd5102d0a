"""HTTP routes. Each parses, calls and renders; what is done is done elsewhere."""
