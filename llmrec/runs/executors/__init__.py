"""What works a run off: this machine, or a cluster. Each is asked inside a worker's process, which holds the run's lock."""

from llmrec.runs.executors.choice import Executor, known

__all__ = ["Executor", "known"]
