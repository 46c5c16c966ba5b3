"""The worker process: loads the models once and runs one job at a time."""
