"""What operators see: `logs`, `metrics`, `tracing` and the `tracecontext` they share."""
