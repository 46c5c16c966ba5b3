"""Training: data, losses and loops; needed by researchers, not by artists."""
