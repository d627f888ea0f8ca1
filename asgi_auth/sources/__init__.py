"""Where settings come from: environment variables, TOML files, and functions. Not public: call `Settings`."""
