"""Figures and the numbers behind them, for the studio, the README and notebooks alike.

Where it stands: at the end of the flow; it only reads values. What it does not know: user interfaces, files, language models.
"""
