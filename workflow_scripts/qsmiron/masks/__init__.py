"""Masks on the grid of an image: the brain."""
