"""From the 2D landmarks of a photo to several possible poses, by a small network."""
