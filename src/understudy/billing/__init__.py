"""Money and rating: pure arithmetic over the catalogue's prices."""
