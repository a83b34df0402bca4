"""Drawn figures: people, cats, dogs, horses, birds, cars and bicycles.

Each is posed by a skeleton and shaded by the film's light.
"""
