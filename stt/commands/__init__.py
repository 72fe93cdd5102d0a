"""The subcommands of ``stt``: one module for each, and what they share.

`serve`, `transcribe` and `evaluate` are the commands. `arguments` makes flags of the settings,
`inputs` finds the recordings, `recognition` and `remote` turn one into words, `outputs` renders
them, `progress` says how far it is.
"""
