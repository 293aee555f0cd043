"""Names for newcomers, by tables that stay as they are."""
