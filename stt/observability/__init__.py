"""What operators see: `logs`, `metrics` and `tracing`."""
