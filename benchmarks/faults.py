"""The rows of the fault table: what is done to runs, what must be true then, and which test does it.

Where it stands: beside `reliability`, which runs them and writes docs/reliability.md. What it does not know: how a fault is made.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """asked: the fault and what must be true, in a sentence; test: file::test, with [case] where a row is one case, or a whole file."""

    asked: str
    test: str


def _in(file: str, *rows: tuple[str, str]) -> tuple[Row, ...]:
    return tuple(Row(asked, f"tests/{file}::{test}" if test else f"tests/{file}") for test, asked in rows)


CHAPTERS: dict[str, tuple[Row, ...]] = {
    "kill -9": _in(
        "faults/test_kills.py",
        (
            "test_a_real_training_whose_worker_is_killed",
            "the worker of a real training, at random moments from its first import to its last measurement: weights, metrics and "
            "validation curve equal those of an undisturbed run bit for bit",
        ),
        (
            "test_a_worker_killed_among_many_steps",
            "the worker between two steps, again and again: every step is taken, the next in line is worked as if nothing were",
        ),
        (
            "test_a_server_killed_while_a_run_trains",
            "the server, while it starts and while it serves: the run goes on, a new server shows it",
        ),
        (
            "test_when_all_are_killed_the_next_command_or_server_goes_on",
            "server, keeper and worker together: the next command or server brings all runs to their end",
        ),
        (
            "test_a_pid_that_is_used_again_is_not_taken_for_the_worker",
            "the worker's process number belongs to somebody else: nobody is taken for it, nobody is harmed",
        ),
    )
    + _in(
        "faults/test_damage.py",
        ("test_what_a_kill_left_in_the_middle_of_a_swap_is_mended", "between the renames that put a new checkpoint in the old one's place"),
    )
    + _in(
        "faults/test_moments.py",
        (
            "test_killed_while_it_starts_runs_each_is_whole_and_in_line_or_was_never_there",
            "whoever starts a run, at random moments, between folder and row too: the run is whole and in line, or was never there",
        ),
    ),
    "Full disk": _in(
        "faults/test_disk.py",
        (
            "test_no_room_for_checkpoints_and_models",
            "a disk of some MB is full from one step to another: the last checkpoint stays whole, the run says so and ends, or fails "
            "with the remedy and ends once resumed; to the same bits",
        ),
        ("test_no_room_for_events_and_state", "no room for events and state: training goes on, what could not be noted is counted"),
        ("test_no_room_for_the_ledger_and_for_new_runs", "no room for the queue: a new run is refused in a sentence, the old wait on"),
        (
            "test_a_worker_that_cannot_say_why_it_ended_is_not_taken_for_done",
            "not one block left to say that it failed: it is said all the same",
        ),
    ),
    "Damage: flipped bits, cut files, zero bytes, NULs, rubbish": _in(
        "faults/test_damage.py",
        *(
            (f"test_a_damaged_part_of_a_run_is_mended_or_told[{part}]", f"{what}: the run ends with the same bits, or is refused by name")
            for part, what in {
                "checkpoint": "checkpoint",
                "adapter": "adapter and weights of the best model so far",
                "finished": "model of a trained run",
                "recipe": "recipe and run.json",
                "events": "events of a real run",
                "names": "names and vectors",
                "status": "state of a real run",
            }.items()
        ),
        ("test_a_status_of_rubbish_stops_neither_the_list_nor_the_queue", "state of one of three runs: list and order stay"),
        ("test_a_damaged_ledger_forgets_no_run", "database of the queue: it is set aside, and no run is forgotten"),
        ("test_events_of_rubbish_leave_a_picture", "events: what is whole is shown, what comes after is noted"),
    ),
    "Many at once": _in(
        "faults/test_many.py",
        (
            "test_two_servers_on_one_folder_work_each_run_once",
            "three turn one queue without a pause while workers are killed: each run once, never more than there are places",
        ),
    )
    + _in("faults/test_kills.py", ("test_two_real_servers_work_each_run_once", "two real servers on one folder: each run once"))
    + _in(
        "faults/test_many.py",
        (
            "test_people_who_start_at_once_get_a_run_each",
            "30 people, in sessions and in processes of their own: 30 runs, 30 rows, all done",
        ),
        (
            "test_a_ledger_lost_while_one_works_starts_no_second",
            "the database is lost while one works and another comes: it waits its turn",
        ),
        ("test_sessions_of_one_server_reap_their_workers_together", "16 threads of a server find one worker's end"),
    )
    + _in(
        "faults/test_moments.py",
        ("test_resumed_by_many_at_once_it_goes_on_once", "eight resume one run in the same moment: one does, it is worked once"),
    ),
    "Deleted and stopped": _in(
        "faults/test_deleting.py",
        ("test_deleted_by_the_queue", "a run is deleted at a random moment of its work: it is gone, its neighbour unchanged"),
        ("test_deleted_by_hand_and_the_next_run_is_its_own", "`rm -rf` under the worker: nothing comes back, the next run is its own"),
        ("test_a_broken_run_that_is_worked_on_can_be_stopped_and_deleted", "a broken run that is worked on is stopped and deleted"),
        (
            "test_a_worker_that_hangs_is_told_and_its_run_deleted_once_it_is_gone",
            "a worker that hangs: the deletion says so, with its process",
        ),
        ("test_what_a_killed_deletion_left_is_swept_up", "whoever deletes is killed: the rest is swept up"),
    )
    + _in(
        "faults/test_moments.py",
        (
            "test_a_stop_at_any_moment_is_heard_or_comes_too_late",
            "a stop at a random moment, while the worker starts or ends too; resumed, it ends",
        ),
        ("test_resumed_in_the_moment_its_worker_fails_it_is_not_failed_again", "resumed before the process that failed has left"),
    ),
    "Clock": _in(
        "faults/test_clock.py",
        (
            "test_a_mad_clock_changes_nothing",
            "a clock that jumps by months at every look, in worker and reader, and a kill: order, states and the live picture as ever",
        ),
        ("test_runs_that_the_ledger_lost_come_back_whatever_the_clock_said", "a clock that runs backwards, and the database lost"),
    ),
    "Memory": _in(
        "faults/test_memory.py",
        (
            "test_a_real_training_without_memory_says_at_which_step",
            "a real training gets no memory: step and setting that would fit are told",
        ),
        (
            "test_an_allocation_that_fails_is_told_with_the_setting_that_would_fit",
            "an allocation fails anywhere: told, and resumed it ends",
        ),
        (
            "test_what_the_kernel_ends_for_memory_is_told_apart_from_a_kill",
            "the kernel ends the worker for memory (a real one, in a memory group): told apart from a kill, which goes on by itself",
        ),
    ),
    "Newer versions": _in(
        "faults/test_newer.py",
        ("test_a_run_of_a_newer_version_is_refused_and_left_as_it_is", "a run with sections, settings, schemes or a form of the future"),
        ("test_a_recipe_of_a_newer_version_is_refused_by_its_first_unknown_word", "a recipe of the future"),
    ),
    "Odd folders": _in(
        "faults/test_moments.py",
        ("test_a_full_name_is_worked_as_any", "names of 120 letters"),
        ("test_a_relative_folder_of_runs_is_the_same_for_the_worker", "LLMREC_RUNS is a relative path"),
        ("test_without_a_folder_of_runs_everything_says_so_or_makes_one", "the runs' folder is not there, or cannot be"),
        ("test_what_can_only_be_read_is_listed_and_refuses_in_a_sentence", "the disk can only be read"),
        ("test_a_wrong_number_of_slots_is_refused_before_a_run_is_made", "LLMREC_SLOTS is no number"),
    ),
    "Hostile names, recipes, files and texts": (
        Row("recipes from a browser: paths, models, numbers, nesting, size; each is a recipe or one sentence", "tests/test_guard.py"),
        Row("names and contents of runs: traversal, links, pipes, JSON without end", "tests/runs/test_hostile_runs.py"),
        Row("data files: bombs, pickles, wrong names, lines and cells without end", "tests/data/test_hostile.py"),
        Row("files of names: what they unpack to, and what they name", "tests/ids/exchange/test_hostile_names.py"),
        Row("titles, keys, genres and errors full of markup and formulas, on every page", "tests/app/test_hostile_texts.py"),
    ),
}
