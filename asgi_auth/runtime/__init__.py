"""Starting, closing, purging and checking an Auth."""
