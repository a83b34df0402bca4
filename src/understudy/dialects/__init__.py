"""The wire dialects: each a pure, two-way codec in one file. The server, the client and the relay share them."""
