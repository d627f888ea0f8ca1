"""Rate limits and lockout: the rules, the counter keys, and the counters. Not public."""
