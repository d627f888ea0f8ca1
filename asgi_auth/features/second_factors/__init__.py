"""Second factors: the policy, the list, and the page where a login goes on."""

from asgi_auth.features.second_factors.feature import SecondFactors

__all__ = ["SecondFactors"]
