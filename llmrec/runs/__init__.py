"""Stage 7: runs. A run is one recipe taken through the whole flow and kept in one folder."""
