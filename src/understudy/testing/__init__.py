"""Public conformance suites: what an adapter or an engine must do to take its place behind a port. Needs pytest."""
