"""From the posed body to the clothed surface."""
