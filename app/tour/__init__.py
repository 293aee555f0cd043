"""Behind the Tour: the eight names of one item, and the three stories."""
