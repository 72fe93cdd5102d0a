"""N-gram language models: read, looked up by a decoder, built from texts."""
