"""Behind the Data page: a data set at a glance, and files on their way to one."""
