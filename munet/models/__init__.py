"""The store of network files: listed, fetched by package name, verified, kept for offline use."""
