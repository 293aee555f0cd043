"""Names that travel without their data set: files of ours, and the forms in which the literature releases them."""
