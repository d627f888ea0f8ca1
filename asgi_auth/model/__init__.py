"""Records and names without behaviour: what is stored and what can happen."""
