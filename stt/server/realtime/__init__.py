"""OpenAI's Realtime API, its transcription sessions: events in, events out.

An adapter over `stt.recognition.streaming`; `stt.server.routes.realtime` is its route.
"""
