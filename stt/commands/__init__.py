"""The subcommands of ``stt``, one module each (`stt.cli.COMMANDS`), and what they share.

`arguments` turns the settings into flags, `inputs` finds the recordings, `recognition` and `remote`
transcribe them, `outputs` renders the results, `progress` reports progress. `scoring` is for
`evaluate` and `optimize`, `calibration` for `optimize`.
"""
