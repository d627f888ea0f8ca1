"""Who is measured: each module makes one contender, as its own documentation wires it."""
