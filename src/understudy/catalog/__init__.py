"""The facts of the outside world: models, dialects and prices, each row with its source and date."""
