"""Response formats: a transcript rendered as text, captions or JSON.

`base` says what a format is. `table` lists the text formats that every API and the command line
share; `native`, `openai` and `whisper` each add their JSON. To add a text format, write a module
like `srt` and add its line to `table`.
"""
