"""MCP clients and OAuth clients against real servers."""
