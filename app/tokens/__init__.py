"""Behind the Tokens page: the map, and what names say of each other."""
