"""Data sets in the layouts in which they are handed out."""
