"""Evaluation: metrics, data sets in their own layouts, protocols, tables. Needed by researchers, not by artists."""
