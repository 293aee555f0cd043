"""Stage 4: names become part of a language model's vocabulary, and the model is tuned to continue histories with names."""
