"""Real identity providers of other projects: oidc-provider of npm, and glewlwyd of Debian."""
