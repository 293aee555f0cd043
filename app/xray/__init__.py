"""Behind the X-ray: what a model reads and how it chooses."""
