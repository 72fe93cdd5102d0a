"""Finding a checkpoint's files and loading models.

`source` finds a model (folder, cache or hub), `hub` downloads it, `files` checks that it is
complete, `loader` loads the engines in the background, `state` describes their progress.
"""
