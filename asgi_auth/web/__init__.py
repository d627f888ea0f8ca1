"""HTTP and websockets: reading requests, authenticating them, and making responses. Not public."""
