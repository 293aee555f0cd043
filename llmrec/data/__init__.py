"""Stage 1: files to `Dataset`s and `Dataset`s to `Split`s. Readers, k-core filters, splits, a synthetic world, and a description."""
