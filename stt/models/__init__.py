"""A checkpoint's files, and bringing models up.

`source` finds a model (folder, cache, hub), `hub` downloads it, `files` knows when it is whole,
`loader` loads the engines in the background.
"""
