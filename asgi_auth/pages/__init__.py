"""The HTML pages: generated from the endpoints' declarations, posting to the same endpoints, without JavaScript."""
