"""The server's own requests to other machines, behind an address guard. What is fetched, and why, is not known here."""
