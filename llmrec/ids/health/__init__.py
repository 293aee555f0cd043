"""How healthy names are: use, collisions, what they say of behaviour, genre and year; and how two tables differ."""
