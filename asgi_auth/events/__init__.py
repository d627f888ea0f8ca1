"""The event stream: log, hooks, telemetry and the audit queue. Not public."""
