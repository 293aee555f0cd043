"""Behind the Compare page: runs and baselines as numbers beside each other."""
