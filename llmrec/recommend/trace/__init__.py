"""One recommendation looked into: what was read, what the head chose among, and where an item was lost."""
