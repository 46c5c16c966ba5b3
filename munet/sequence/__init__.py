"""From a video or a photo sequence to one person and its motion."""
