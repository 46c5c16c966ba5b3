"""What the trained networks add to a fitted person: normals, a clothed surface, a step of the body."""
