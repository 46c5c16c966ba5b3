"""The operators: each thin, named ``munet.verb_noun``."""
