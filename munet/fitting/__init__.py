"""From landmarks and mask to the parameters of the body model and the camera."""
