"""Training data without a camera: dressed people, drawn from a seed and rendered wherever the training runs."""
