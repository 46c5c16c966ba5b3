"""From a photo to the people in it: boxes, landmarks and masks."""
