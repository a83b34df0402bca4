"""Drawn figures: people, cats, dogs, horses, birds, cars and bicycles, posed by a skeleton and shaded by the film's light."""
