"""CLLM4Rec (arXiv 2311.01343): two sets of rows on one base, one taught by who took what, one by what is said, pulled towards each other.

Where it stands: the end of stage 4, in the place of `finetune`. `plan` holds the settings, `documents` what is read, `pair` the two sides,
`course` their order. What it does not know: runs, queues and pages.
"""
