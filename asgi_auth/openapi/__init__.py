"""OpenAPI 3.1: the document of an app's endpoints, made from their declarations alone."""

from asgi_auth.openapi.document import Info, all_served, document

__all__ = ["Info", "all_served", "document"]
