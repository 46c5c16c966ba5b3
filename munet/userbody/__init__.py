"""A body model of the user's own: the default body's fit and surface carried over to it."""
