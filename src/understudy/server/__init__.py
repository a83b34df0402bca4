"""The HTTP server: routes, keys, bodies, errors and result files; what a request means is not decided here."""
