"""Behind the Train page: the form and its recipe, the queue and its runs."""
