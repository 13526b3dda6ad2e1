"""What the product promises about bad input and faults, each with the tests that keep it.

    PROMISES[40].tests      # paths below tests/, each `file::test`

The numbers are those of the abuse rows that tests carry in their names and docstrings (`abuse row 40`).  `tests/policy/test_promises.py`
holds that every named test exists, that every promise has one, and that no test carries a number that is promised nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Promise:
    """One promise in a sentence and the tests that would fail if it were broken."""

    sentence: str
    tests: tuple[str, ...]


PROMISED = frozenset(
    {*range(1, 34), *range(35, 45), *range(49, 56), *range(57, 66), 68, 71, 72, 73, *range(77, 86), *range(87, 91), 96, 102}
)
"""Rows of the line and of the stations in depth."""

LATER = frozenset({34, 45, 46, 47, 48, 56, 66, 67, 69, 70, 74, 75, 76, 86, *range(91, 96), *range(97, 102)})
"""Rows whose time has not come; a test that keeps one already may carry its number."""


def kept(sentence: str, *tests: str) -> Promise:
    """A promise as a row of the ledger below."""
    return Promise(sentence, tests)


PROMISES: dict[int, Promise] = {
    1: kept(
        "A title full of shell is data: it is never looked at, run or expanded.",
        "flows/intake/test_front_door_under_act.py::test_the_front_door_reads_an_issue_without_credentials_and_the_title_stays_data_abuse_row_1",
        "flows/intake/test_workflows_on_the_local_github.py::test_a_refused_issue_is_answered_with_what_to_change_abuse_rows_1_28",
        "flows/local/github/test_runner.py::test_a_label_starts_the_reusable_workflow_with_its_own_identity",
        "flows/local/github/test_runner.py::test_script_injection_really_executes_so_that_tests_can_catch_it",
        "policy/test_workflows.py::test_no_expression_stands_in_a_script_and_scripts_are_short_abuse_rows_1_2",
        "unit/entrypoints/test_intake_steps.py::test_a_title_is_never_looked_at_abuse_row_1",
        "unit/intake/test_body.py::test_shell_and_expression_text_stays_data_abuse_rows_1_2",
    ),
    2: kept(
        "An expression in a body stays text, and no value of a secret reaches a log.",
        "flows/intake/test_front_door_under_act.py::test_runner_commands_in_an_issue_change_neither_outputs_nor_environment_abuse_rows_2_3_4_5",
        "flows/local/github/test_runner.py::test_a_secret_arrives_whole_and_is_starred_in_the_log",
        "policy/test_workflows.py::test_no_expression_stands_in_a_script_and_scripts_are_short_abuse_rows_1_2",
        "unit/entrypoints/test_intake_steps.py::test_nothing_of_the_body_reaches_the_runner_abuse_rows_2_3_4_5",
        "unit/intake/test_body.py::test_shell_and_expression_text_stays_data_abuse_rows_1_2",
    ),
    3: kept(
        "Runner commands in a body are printed harmlessly and none is obeyed.",
        "flows/intake/test_front_door_under_act.py::test_runner_commands_in_an_issue_change_neither_outputs_nor_environment_abuse_rows_2_3_4_5",
        "unit/entrypoints/test_intake_steps.py::test_nothing_of_the_body_reaches_the_runner_abuse_rows_2_3_4_5",
        "unit/entrypoints/test_runner.py::test_a_log_line_is_one_line_and_never_a_command_abuse_row_3",
        "unit/intake/test_body.py::test_runner_commands_and_environment_lines_are_no_fields_abuse_rows_3_4_5",
        "unit/local/github/test_store.py::test_a_log_that_breaks_off_is_read_as_far_as_it_goes",
    ),
    4: kept(
        "Nothing in a body can add or change an output of a step.",
        "flows/intake/test_front_door_under_act.py::test_runner_commands_in_an_issue_change_neither_outputs_nor_environment_abuse_rows_2_3_4_5",
        "unit/entrypoints/test_intake_steps.py::test_nothing_of_the_body_reaches_the_runner_abuse_rows_2_3_4_5",
        "unit/entrypoints/test_runner.py::test_an_output_cannot_be_broken_out_of_abuse_row_4",
        "unit/intake/test_body.py::test_runner_commands_and_environment_lines_are_no_fields_abuse_rows_3_4_5",
    ),
    5: kept(
        "Nothing of a body reaches the environment of later steps.",
        "flows/intake/test_front_door_under_act.py::test_runner_commands_in_an_issue_change_neither_outputs_nor_environment_abuse_rows_2_3_4_5",
        "policy/test_workflows.py::test_nothing_is_written_to_the_environment_of_later_steps_abuse_row_5",
        "policy/test_workflows.py::test_no_entry_point_exports_variables_or_paths_abuse_row_5",
        "unit/entrypoints/test_install.py::test_nothing_that_changes_interpreters_or_linkers_reaches_installer_or_step_abuse_row_5",
        "unit/entrypoints/test_intake_steps.py::test_nothing_of_the_body_reaches_the_runner_abuse_rows_2_3_4_5",
        "unit/intake/test_body.py::test_runner_commands_and_environment_lines_are_no_fields_abuse_rows_3_4_5",
    ),
    6: kept(
        "A body over 65,536 bytes is refused before it is parsed, within 50 ms.",
        "unit/intake/test_body.py::test_a_hostile_body_is_refused_within_50_ms_abuse_row_6",
        "unit/intake/test_body.py::test_the_size_is_checked_in_bytes_before_parsing_abuse_row_6",
    ),
    7: kept(
        "An empty form is refused with the list of required fields.",
        "unit/intake/test_body.py::test_an_empty_body_is_refused_with_the_required_fields_abuse_row_7",
        "unit/intake/test_body.py::test_a_form_without_answers_lists_every_required_field_abuse_row_7",
    ),
    8: kept(
        "A field that stands twice is refused; the last one never wins.",
        "unit/intake/test_body.py::test_a_doubled_heading_is_refused_and_never_the_last_one_wins_abuse_row_8",
    ),
    9: kept(
        "Order, line ends and a byte order mark do not matter; an unknown heading is refused by name.",
        "unit/intake/test_body.py::test_order_line_ends_and_byte_order_mark_do_not_matter_abuse_row_9",
        "unit/intake/test_body.py::test_an_unknown_heading_is_refused_by_name_with_the_near_one_abuse_row_9",
    ),
    10: kept(
        "A heading inside a fence, quote or comment is no field.",
        "unit/intake/test_body.py::test_a_heading_inside_a_block_is_not_a_field_abuse_row_10",
        "unit/intake/test_body.py::test_a_heading_in_a_quote_is_text_abuse_row_10",
    ),
    11: kept(
        "Anchors and aliases have no meaning in hyperparameters.",
        "unit/intake/test_body.py::test_yaml_and_json_have_no_meaning_in_hyperparameters_abuse_rows_11_12_14",
    ),
    12: kept(
        "Nested brackets and braces have no meaning in hyperparameters, however deep.",
        "unit/intake/test_body.py::test_yaml_and_json_have_no_meaning_in_hyperparameters_abuse_rows_11_12_14",
    ),
    13: kept(
        "More than 100 hyperparameters are refused by count.",
        "unit/intake/test_body.py::test_more_than_a_hundred_parameters_are_refused_by_count_abuse_row_13",
    ),
    14: kept(
        "Tags of YAML have no meaning in hyperparameters.",
        "unit/intake/test_body.py::test_yaml_and_json_have_no_meaning_in_hyperparameters_abuse_rows_11_12_14",
    ),
    15: kept(
        "Numbers that are not finite are refused.",
        "unit/algorithms/test_catalogue.py::test_other_spellings_and_values_out_of_range_are_refused",
        "unit/intake/test_body_values.py::test_only_plain_decimals_are_numbers_abuse_rows_15_16_17",
    ),
    16: kept(
        "A number of thousands of digits is refused by its length.",
        "unit/intake/test_body_values.py::test_only_plain_decimals_are_numbers_abuse_rows_15_16_17",
    ),
    17: kept(
        "Only plain decimals and the listed words are values.",
        "unit/algorithms/test_catalogue.py::test_other_spellings_and_values_out_of_range_are_refused",
        "unit/intake/test_body_values.py::test_only_plain_decimals_are_numbers_abuse_rows_15_16_17",
    ),
    18: kept(
        "Digits of other scripts are refused and named by code point.",
        "unit/algorithms/test_catalogue.py::test_other_spellings_and_values_out_of_range_are_refused",
        "unit/intake/test_body_values.py::test_digits_of_other_scripts_are_refused_by_code_point_abuse_row_18",
    ),
    19: kept(
        "Values out of range are refused with the range.",
        "unit/algorithms/test_catalogue.py::test_other_spellings_and_values_out_of_range_are_refused",
        "unit/intake/test_body_values.py::test_hyperparameters_out_of_range_are_refused_with_the_range_abuse_row_19",
    ),
    20: kept(
        "An instance type that is not listed is refused by the parser and, behind it, by IAM.",
        "flows/local/sagemaker/test_line.py::test_condition_keys_and_passrole_are_enforced_for_the_caller",
        "policy/test_templates.py::test_jobs_are_limited_by_instance_type_and_run_time",
        "unit/intake/test_body_values.py::test_instance_types_off_the_list_are_refused_abuse_row_20",
    ),
    21: kept(
        "What is over a cap is refused and never lowered silently.",
        "unit/intake/test_body_values.py::test_what_is_over_a_cap_is_refused_and_not_clamped_abuse_row_21",
    ),
    22: kept(
        "Only the suite's bucket and its data folder are taken.",
        "unit/capabilities/test_issue.py::test_abuse_rows_22_23_24_a_dataset_elsewhere_or_in_disguise_is_refused_before_anything_happens",
        "unit/intake/test_body_values.py::test_only_files_below_the_datasets_folder_of_the_bucket_are_taken_abuse_rows_22_23_24",
    ),
    23: kept(
        "A path that climbs, doubles or hides a separator is refused as it stands.",
        "unit/capabilities/test_issue.py::test_abuse_rows_22_23_24_a_dataset_elsewhere_or_in_disguise_is_refused_before_anything_happens",
        "unit/intake/test_body_values.py::test_only_files_below_the_datasets_folder_of_the_bucket_are_taken_abuse_rows_22_23_24",
    ),
    24: kept(
        "Addresses with queries, fragments, credentials or as ARNs are refused.",
        "unit/capabilities/test_issue.py::test_abuse_rows_22_23_24_a_dataset_elsewhere_or_in_disguise_is_refused_before_anything_happens",
        "unit/intake/test_body_values.py::test_only_files_below_the_datasets_folder_of_the_bucket_are_taken_abuse_rows_22_23_24",
    ),
    25: kept(
        "Characters that look alike or cannot be seen are refused and named by code point.",
        "unit/capabilities/test_issue.py::test_abuse_row_25_the_code_point_is_named",
        "unit/intake/test_body_values.py::test_look_alike_and_invisible_characters_are_named_by_code_point_abuse_row_25",
        "unit/intake/test_body_values.py::test_a_column_name_holds_nothing_that_cannot_be_seen_abuse_row_25",
        "unit/reporting/test_markdown.py::test_characters_that_hide_or_turn_text_are_shown_by_code_point",
    ),
    26: kept(
        "A model name keeps SageMaker's own pattern.",
        "unit/intake/test_body_values.py::test_model_names_are_checked_against_the_strictest_pattern_abuse_row_26",
        "unit/local/aws/sagemaker/test_support.py::test_a_wrong_training_request_is_refused_by_name",
    ),
    27: kept(
        "A data set version is an immutable number, never 'latest'.",
        "unit/intake/test_body_values.py::test_a_dataset_version_is_immutable_abuse_row_27",
    ),
    28: kept(
        "Markup in a field is shown and does nothing: no mention, no link, no close.",
        "flows/intake/test_workflows_on_the_local_github.py::test_a_refused_issue_is_answered_with_what_to_change_abuse_rows_1_28",
        "unit/entrypoints/test_runner.py::test_text_in_a_summary_has_no_markup_that_acts_abuse_row_28",
        "unit/intake/test_body.py::test_markup_and_instructions_are_plain_data_abuse_rows_28_29",
        "unit/intake/test_body.py::test_nothing_written_can_leave_the_fence_of_the_refusal_abuse_row_28",
        "unit/local/github/test_markdown.py::test_no_text_becomes_script_form_or_frame",
        "unit/reporting/test_comment.py::test_nothing_of_the_input_acts_on_the_page",
        "unit/reporting/test_markdown.py::test_hostile_text_is_shown_and_does_nothing",
    ),
    29: kept(
        "Instructions in a field are data; no program here obeys text.",
        "unit/intake/test_body.py::test_markup_and_instructions_are_plain_data_abuse_rows_28_29",
    ),
    30: kept(
        "Who may not write starts nothing and hears of it once a day.",
        "flows/intake/test_workflows_on_the_local_github.py::test_a_stranger_is_answered_once_and_no_job_with_credentials_runs_abuse_row_30",
        "unit/agents/test_issue.py::test_people_without_permission_start_nothing_and_hear_of_it_once_a_day",
        "unit/capabilities/test_issue.py::test_abuse_row_30_strangers_get_one_answer_per_issue_and_day",
        "unit/entrypoints/test_intake_steps.py::test_a_stranger_gets_one_comment_however_often_they_label_abuse_row_30",
        "unit/entrypoints/test_intake_steps.py::test_a_bot_gets_silence_abuse_row_30",
        "unit/intake/test_authorization.py::test_write_maintain_and_admin_may_start_and_nobody_else_abuse_row_30",
        "unit/intake/test_authorization.py::test_bots_and_ghosts_may_not_start_whatever_their_permission_abuse_row_30",
        "flows/test_line.py::test_a_label_set_by_somebody_who_may_not_write_starts_nothing",
    ),
    31: kept(
        "A permission that cannot be verified is a no.",
        "flows/local/github/test_pygithub.py::test_the_permission_of_an_unknown_login_is_not_found",
        "unit/adapters/test_repository_github.py::test_abuse_row_31_an_answer_of_another_shape_is_no_permission",
        "unit/agents/test_issue.py::test_a_permission_that_cannot_be_verified_is_a_no",
        "unit/capabilities/test_issue.py::test_abuse_row_31_a_permission_that_cannot_be_verified_raises",
        "unit/entrypoints/test_intake_steps.py::test_a_permission_that_cannot_be_verified_fails_the_job_abuse_row_31",
        "unit/intake/test_authorization.py::test_an_answer_that_does_not_come_refuses_abuse_row_31",
        "unit/intake/test_authorization.py::test_an_answer_of_another_shape_refuses_abuse_row_31",
    ),
    32: kept(
        "A permission lost between label and start refuses the start.",
        "policy/test_workflows.py::test_the_permission_is_asked_before_the_text_is_parsed_and_again_with_credentials_abuse_row_32",
        "unit/entrypoints/test_start_steps.py::test_a_permission_lost_between_label_and_start_refuses_abuse_row_32",
    ),
    33: kept(
        "A command of an outsider starts no job with credentials and gets no reaction.",
        "flows/intake/test_workflows_on_the_local_github.py::test_an_outsiders_command_is_ignored_and_starts_no_job_with_credentials_abuse_row_33",
        "policy/test_workflows.py::test_the_job_that_reads_people_cannot_ask_for_credentials_and_the_job_that_can_reads_no_event_abuse_row_33",
        "unit/agents/test_issue.py::test_a_command_of_somebody_without_permission_is_ignored",
        "unit/entrypoints/test_start_steps.py::test_an_outsiders_command_is_ignored_without_a_reaction_abuse_row_33",
        "flows/test_line.py::test_below_the_threshold_the_run_waits_and_only_a_writer_can_answer_it",
        "flows/test_abuse.py::test_the_role_of_the_start_job_can_start_and_record_and_nothing_else",
    ),
    35: kept(
        "An edited comment is never a command.",
        "policy/test_workflows.py::test_only_created_comments_and_set_labels_start_a_job_abuse_row_35",
        "unit/agents/test_issue.py::test_an_edited_comment_is_never_a_command",
        "unit/entrypoints/test_start_steps.py::test_an_edited_comment_is_never_a_command_abuse_row_35",
        "unit/intake/test_event.py::test_an_edited_comment_is_never_a_command_abuse_row_35",
    ),
    36: kept(
        "A quoted or fenced command is no command.",
        "unit/agents/test_issue.py::test_quotes_fences_and_talk_are_no_commands",
        "unit/intake/test_commands.py::test_talk_quotes_and_fences_are_no_commands_abuse_row_36",
    ),
    37: kept(
        "Two commands or an unknown option refuse the whole comment.",
        "flows/intake/test_workflows_on_the_local_github.py::test_a_wrong_command_of_somebody_who_may_give_one_is_answered_abuse_row_37",
        "unit/agents/test_issue.py::test_an_unknown_option_is_answered_with_what_it_may_have_meant",
        "unit/entrypoints/test_start_steps.py::test_a_wrong_command_of_somebody_with_permission_is_answered_once_abuse_row_37",
        "unit/intake/test_commands.py::test_two_commands_refuse_the_whole_comment_abuse_row_37",
        "unit/intake/test_commands.py::test_a_wrong_command_is_refused_as_a_whole_abuse_row_37",
    ),
    38: kept(
        "The same approved request is one run; a changed body is another approval.",
        "unit/agents/test_issue.py::test_label_off_and_on_finds_the_same_run",
        "unit/capabilities/test_issue.py::test_abuse_row_38_the_same_request_again_finds_the_same_run",
        "unit/capabilities/test_issue.py::test_abuse_row_38_many_at_once_make_one_run",
        "unit/entrypoints/test_start_steps.py::test_an_approved_request_starts_one_run_and_the_second_event_finds_it_abuse_row_38",
        "unit/entrypoints/test_start_steps.py::test_the_body_that_was_approved_decides_and_not_a_later_one_abuse_row_38",
        "flows/test_line.py::test_polling_finds_a_labelled_issue_and_two_more_ways_start_nothing_new",
    ),
    39: kept(
        "A run whose issue is gone still ends with a record.",
        "unit/adapters/test_repository_github.py::test_abuse_row_39_a_moved_issue_is_not_found",
        "unit/capabilities/test_telling.py::test_abuse_row_39_a_deleted_issue_does_not_stop_the_end_of_a_run",
        "unit/stepfunctions/test_whole_runs.py::test_a_deleted_issue_still_gets_its_record",
        "unit/capabilities/test_locked_issue.py::test_a_locked_issue_gets_its_label_and_its_record_although_no_comment_can_be",
        "unit/capabilities/test_locked_issue.py::test_an_issue_that_somebody_closed_mid_run_is_answered_all_the_same",
    ),
    40: kept(
        "A delivery without a right signature is answered 401 and not read.",
        "unit/agents/test_issue.py::test_a_forged_delivery_is_refused_before_anything_is_read",
        "unit/capabilities/test_issue.py::test_abuse_row_40_a_wrong_signature_is_not_accepted",
        "unit/capabilities/test_issue.py::test_abuse_row_40_a_right_signature_is_accepted_whatever_the_body_is",
        "flows/test_line.py::test_a_forged_webhook_is_refused_before_it_is_read",
    ),
    41: kept(
        "A delivery counts once.",
        "flows/local/github/test_pygithub.py::test_webhooks_are_signed_repeated_and_redelivered_under_one_id",
        "unit/agents/test_issue.py::test_a_replayed_delivery_has_no_effect",
        "unit/capabilities/test_issue.py::test_abuse_row_41_a_delivery_counts_once",
    ),
    42: kept(
        "The same event under another delivery id has no effect.",
        "unit/agents/test_issue.py::test_the_same_event_under_another_delivery_has_no_effect",
        "unit/capabilities/test_issue.py::test_abuse_row_42_the_same_content_under_another_delivery_has_no_effect",
    ),
    43: kept(
        "A late delivery is taken once.",
        "unit/agents/test_issue.py::test_a_late_delivery_is_taken_once",
        "unit/capabilities/test_issue.py::test_abuse_row_43_an_old_event_is_accepted_once_and_its_key_stays_for_days",
    ),
    44: kept(
        "Of three answers in one second one runs and the others hear which.",
        "unit/agents/test_issue.py::test_only_the_first_of_three_commands_of_one_second_runs",
        "unit/capabilities/test_operator.py::test_abuse_row_44_of_three_at_once_one_wins_and_the_others_hear_which_round_runs",
        "unit/entrypoints/test_operator_loop.py::test_a_second_command_is_told_that_the_round_is_running_abuse_row_44",
    ),
    49: kept(
        "A head that moved while history is written loses no record.",
        "flows/local/github/test_pygithub.py::test_a_graphql_commit_moves_the_branch_once_and_says_stale_data_afterwards",
        "unit/adapters/test_repository_github.py::test_abuse_row_49_a_moved_head_is_read_again_and_the_change_applied_anew",
        "unit/adapters/test_repository_github.py::test_abuse_row_49_a_head_that_never_rests_is_given_up_after_five_tries",
        "unit/capabilities/test_telling.py::test_abuse_row_49_a_moved_head_loses_no_record",
    ),
    50: kept(
        "A protected branch gets a pull request and the run is closed all the same.",
        "flows/local/github/test_git.py::test_a_protected_branch_refuses_a_push",
        "flows/local/github/test_pygithub.py::test_a_protected_branch_takes_pull_requests_only",
        "unit/adapters/test_repository_github.py::test_abuse_row_50_a_protected_branch_gets_a_pull_request",
        "unit/capabilities/test_telling.py::test_abuse_row_50_a_protected_branch_gets_a_pull_request_and_the_run_is_closed",
    ),
    51: kept(
        "What GitHub did not take is kept and delivered later.",
        "flows/local/github/test_pygithub.py::test_a_fault_stands_in_for_the_next_answer",
        "unit/adapters/test_repository_github.py::test_abuse_row_51_a_read_is_tried_three_times",
        "unit/capabilities/test_telling.py::test_abuse_row_51_a_comment_github_did_not_take_is_delivered_later",
    ),
    52: kept(
        "While GitHub asks to wait nothing is sent, as long as it says or at least a minute.",
        "unit/adapters/test_repository_github.py::test_abuse_row_52_limits_say_how_long_to_wait",
        "unit/capabilities/test_telling.py::test_abuse_row_52_nothing_is_sent_while_github_asks_to_wait_and_the_wait_rises",
        "unit/capabilities/test_telling.py::test_abuse_row_52_a_named_wait_is_kept_exactly",
    ),
    53: kept(
        "At the primary limit progress is dropped and the last page kept.",
        "unit/adapters/test_repository_github.py::test_abuse_row_53_an_empty_primary_limit_waits_for_its_reset",
        "unit/capabilities/test_telling.py::test_abuse_row_53_progress_is_dropped_and_the_last_page_kept_until_the_limit_resets",
    ),
    54: kept(
        "A page over the limit is cut with a link; a deleted one is made anew.",
        "flows/local/github/test_pygithub.py::test_a_comment_beyond_the_limit_is_refused",
        "unit/adapters/test_repository_github.py::test_abuse_row_54_a_comment_deleted_meanwhile_or_not_ours_is_made_anew",
        "unit/capabilities/test_telling.py::test_abuse_row_54_a_deleted_comment_is_made_anew",
        "unit/intake/test_body.py::test_the_longest_refusal_stays_below_githubs_limit_abuse_row_54",
        "unit/reporting/test_comment.py::test_a_page_over_the_limit_is_cut_with_a_link_to_the_rest",
    ),
    55: kept(
        "Another repository, branch, workflow, event or runner gets no role.",
        "flows/platform/test_templates_on_the_local_aws.py::test_any_other_workflow_is_refused_the_role",
        "policy/test_templates.py::test_a_workflow_s_role_trusts_one_workflow_of_named_repositories_on_their_default_branch",
        "unit/entrypoints/test_oidc.py::test_only_runners_of_github_may_ask_abuse_row_55",
        "unit/entrypoints/test_start_steps.py::test_a_self_hosted_runner_is_refused_before_anything_is_asked_abuse_row_55",
        "flows/local/aws/test_web_identity.py::test_another_caller_is_denied_by_the_trust_policy",
        "flows/local/aws/test_web_identity.py::test_the_named_repository_and_workflow_are_admitted",
        "flows/test_abuse.py::test_the_deployed_roles_admit_nobody_else",
        "flows/test_abuse.py::test_one_workflow_cannot_take_the_role_of_another",
        "flows/test_abuse.py::test_a_token_for_another_audience_is_refused",
    ),
    57: kept(
        "The job on the runner ends after the start, so no session can expire in a poll.",
        "unit/entrypoints/test_start_ends.py::test_the_job_ends_although_the_execution_runs_on",
        "unit/entrypoints/test_start_ends.py::test_no_entry_point_sleeps_or_describes_executions",
        "flows/test_line.py::test_the_callers_workflow_starts_the_same_line_and_never_waits_for_it",
    ),
    58: kept(
        "A start whose answer was lost finds the same execution again.",
        "flows/local/aws/test_machines.py::test_a_start_that_is_repeated_finds_the_running_execution_and_never_a_closed_one",
        "unit/capabilities/test_issue.py::test_abuse_row_58_a_lost_answer_is_found_again_by_the_same_name",
    ),
    59: kept(
        "A used name is never started again; after a failure the next generation begins.",
        "flows/local/aws/test_machines.py::test_a_start_that_is_repeated_finds_the_running_execution_and_never_a_closed_one",
        "unit/capabilities/test_issue.py::test_abuse_row_59_a_new_generation_begins_after_a_failure_and_only_then",
    ),
    60: kept(
        "A start that is refused or throttled keeps its reason and can be repeated.",
        "unit/capabilities/test_issue.py::test_abuse_row_60_a_refused_start_keeps_its_reason_and_can_be_repeated",
    ),
    61: kept(
        "State machines carry pointers; the limit of 256 KiB is enforced.",
        "flows/local/aws/test_machines.py::test_more_than_256_kib_do_not_pass",
        "unit/capabilities/test_issue.py::test_abuse_row_61_the_input_is_a_pointer_of_a_few_bytes",
        "unit/stepfunctions/test_pipeline.py::test_the_state_stays_small",
    ),
    62: kept(
        "Calls to S3 are tried again three times at most, and bytes that do not fit their checksum are never handed on.",
        "unit/adapters/test_objects_s3.py::test_a_write_whose_bytes_arrived_changed_is_made_again",
        "unit/adapters/test_objects_s3.py::test_bytes_that_stay_changed_are_never_handed_on",
        "unit/adapters/test_objects_s3.py::test_what_fails_for_now_is_read_again_at_most_three_times",
    ),
    63: kept(
        "Half an upload is never visible: parts are aborted, signatures and marks come last.",
        "policy/test_templates.py::test_buckets_are_encrypted_private_versioned_tls_only_and_forget_incomplete_uploads",
        "unit/adapters/test_objects_s3.py::test_an_interrupted_upload_in_parts_is_aborted_and_never_visible",
        "unit/adapters/test_objects_s3.py::test_an_upload_that_fails_says_what_the_answer_means",
        "unit/capabilities/test_prepared.py::test_what_an_interrupted_job_left_is_not_taken_for_a_preparation",
        "unit/runs/test_packages.py::test_the_signature_is_written_last_so_that_half_a_package_is_no_package",
    ),
    64: kept(
        "A data file that changed under a run stops it: version and SHA-256 are pinned.",
        "unit/agents/test_data_gate.py::test_a_file_that_is_replaced_while_the_job_reads_it_stops_the_run",
        "unit/agents/test_data_gate.py::test_a_version_whose_bytes_differ_from_its_first_preparation_is_not_trained_on",
        "unit/jobs/test_pins.py::test_evaluation_stops_at_a_split_with_other_bytes",
        "unit/jobs/test_pins.py::test_training_stops_at_a_prepared_file_with_other_bytes",
    ),
    65: kept(
        "A key that cannot be used is named by its alias, and nothing is tried again.",
        "unit/adapters/test_objects_s3.py::test_a_key_that_cannot_be_used_is_named_and_nothing_is_tried_again",
        "unit/adapters/test_objects_s3.py::test_denied_access_that_is_not_a_keys_names_the_object_and_is_not_tried_again",
    ),
    68: kept(
        "An earlier try of ours is adopted; a job of others under that name is refused.",
        "unit/capabilities/test_jobs.py::test_abuse_row_68_a_repeated_start_adopts_the_job_of_ours",
        "unit/capabilities/test_jobs.py::test_abuse_row_68_a_name_that_holds_another_job_is_refused",
        "unit/local/aws/sagemaker/test_job_ends.py::test_a_job_name_is_used_once_for_ever",
    ),
    71: kept(
        "Each bad end of a job is told apart and none loops.",
        "unit/mcp_server/test_agents_over_mcp.py::test_abuse_row_71_a_job_that_ends_badly_fails_the_run_in_its_own_words",
        "unit/mcp_server/test_agents_over_mcp.py::test_abuse_row_71_an_internal_error_is_tried_once_more_under_another_name",
        "unit/stepfunctions/test_job.py::test_a_job_that_never_ends_is_given_up",
        "unit/stepfunctions/test_whole_runs.py::test_each_bad_end_of_a_job_is_told_apart_and_none_loops",
        "unit/local/aws/sagemaker/test_job_ends.py::test_a_training_job_beyond_its_time_is_stopped_with_its_model",
        "unit/local/aws/sagemaker/test_job_ends.py::test_a_failure_file_becomes_the_failure_reason",
    ),
    72: kept(
        "A training that says NaN, nothing or two things is a failure, never a better model.",
        "unit/jobs/test_training_trust.py::test_a_metric_is_a_line_of_its_own_and_its_last_value_counts_abuse_row_73",
        "unit/jobs/test_training_trust.py::test_a_model_without_numbers_is_a_failed_training_abuse_row_72",
        "unit/jobs/test_training_trust.py::test_the_judge_never_accepts_what_was_not_measured_abuse_row_72",
        "unit/jobs/test_training_trust.py::test_what_is_no_number_is_no_metric_abuse_row_72",
    ),
    73: kept(
        "A training's log cannot fake a metric or tell a secret.",
        "unit/jobs/test_training_trust.py::test_a_metric_is_a_line_of_its_own_and_its_last_value_counts_abuse_row_73",
        "unit/jobs/test_training_trust.py::test_an_unforeseen_error_cannot_print_a_metric_and_shows_no_secret_abuse_row_73",
        "unit/jobs/test_training_trust.py::test_text_of_the_data_cannot_begin_a_log_line_abuse_row_73",
    ),
    77: kept(
        "A wrong call to the server reaches no tool.",
        "unit/mcp_server/test_wire_and_server.py::test_abuse_row_77_wrong_calls_are_refused_with_32602_and_reach_no_handler",
        "unit/mcp_server/test_wire_and_server.py::test_abuse_row_77_nothing_is_coerced",
        "unit/mcp_server/test_wire_and_server.py::test_abuse_row_77_bodies_that_are_no_single_small_request_are_refused",
        "unit/mcp_server/test_wire_and_server.py::test_abuse_row_77_headers_and_versions_must_agree_with_the_body",
    ),
    78: kept(
        "An agent reaches its own tools only; a replayed key has one effect.",
        "flows/platform/test_templates_on_the_local_aws.py::test_an_agent_reaches_its_own_alias_and_the_judge_reaches_nothing",
        "policy/test_templates.py::test_each_agent_may_call_its_own_alias_and_nothing_else",
        "unit/mcp_server/test_wire_and_server.py::test_abuse_row_78_an_unknown_alias_gets_nothing",
        "unit/mcp_server/test_wire_and_server.py::test_abuse_row_78_no_alias_gets_nothing",
        "unit/mcp_server/test_wire_and_server.py::test_abuse_row_78_an_alias_has_no_tools_of_another",
        "unit/mcp_server/test_wire_and_server.py::test_abuse_row_78_a_replayed_key_answers_the_first_result_without_a_second_effect",
        "unit/mcp_server/test_wire_and_server.py::test_abuse_row_78_a_key_of_other_arguments_is_refused",
    ),
    79: kept(
        "A tool's result is bounded, checked and shown as data.",
        "unit/mcp_server/test_wire_and_server.py::test_abuse_row_79_a_result_is_bounded",
        "unit/mcp_server/test_wire_and_server.py::test_abuse_row_79_an_oversized_result_is_an_error_not_a_flood",
        "unit/reporting/test_comment.py::test_ten_megabytes_of_a_tool_s_text_stay_small_data",
    ),
    80: kept(
        "A notification reaches public addresses and exact trusted origins only.",
        "unit/adapters/test_web_http.py::test_addresses_inside_a_network_and_odd_schemes_get_no_connection",
        "unit/adapters/test_web_http.py::test_one_private_address_among_public_ones_refuses_the_name",
        "unit/adapters/test_web_http.py::test_a_name_is_resolved_once_and_the_checked_address_is_the_one_that_is_called",
        "unit/adapters/test_web_http.py::test_a_redirect_is_an_error_and_is_not_followed",
        "unit/adapters/test_web_http.py::test_an_exact_trusted_origin_is_reached_although_it_is_private",
        "unit/adapters/test_web_http.py::test_trust_is_for_the_exact_origin_and_no_other",
        "flows/test_notifications.py::test_abuse_row_80_a_private_sink_is_reached_only_as_an_exact_trusted_origin",
        "flows/test_notifications.py::test_abuse_row_80_a_sink_that_redirects_is_not_followed",
    ),
    81: kept(
        "A CSV that is no clean text is repaired and counted, or refused with the byte; memory stays bounded.",
        "unit/features/test_encoding.py::test_bytes_that_are_no_text_are_refused_with_their_offset",
        "unit/features/test_encoding.py::test_mixed_encodings_are_refused_with_the_offset_of_the_first_wrong_byte",
        "unit/features/test_encoding.py::test_nul_bytes_are_counted",
        "unit/features/test_repair.py::test_a_line_beyond_the_limit_is_refused_with_its_byte",
        "unit/features/test_repair.py::test_an_unclosed_quote_is_refused_with_line_and_byte",
    ),
    82: kept(
        "Numbers and dates in other notations are read by one rule, and what does not fit is counted.",
        "unit/features/test_load.py::test_iso_dates_become_seconds_and_days_that_do_not_exist_are_misfits",
        "unit/features/test_load.py::test_other_notations_are_read_and_named",
        "unit/features/test_load.py::test_text_among_numbers_is_a_misfit_and_counted",
        "unit/features/test_notation.py::test_a_number_is_put_into_plain_notation",
        "unit/features/test_typing_rule.py::test_a_moment_is_an_iso_date",
    ),
    83: kept(
        "Headers without end, twice, empty or with a formula are refused or made harmless.",
        "unit/features/test_load.py::test_duplicate_and_formula_names_stay_names",
        "unit/features/test_repair.py::test_a_hundred_thousand_columns_are_refused",
        "unit/reporting/test_pages_of_the_data.py::test_the_quality_report_is_one_escaped_page_in_both_languages",
        "unit/reporting/test_report.py::test_a_formula_in_a_name_is_shown_quoted",
    ),
    84: kept(
        "Data that cannot teach are refused or left out by a stated rule that the report names.",
        "unit/jobs/test_traps.py::test_a_class_of_one_row_beside_others_is_trained_on_and_named",
        "unit/jobs/test_traps.py::test_a_target_that_cannot_be_learnt_and_checked_is_refused",
        "unit/jobs/test_traps.py::test_an_empty_column_is_dropped_and_a_table_of_repeats_is_refused",
    ),
    85: kept(
        "Leaks are named before anything is trained, and a policy can stop on them.",
        "unit/agents/test_data_gate.py::test_a_score_too_good_to_be_true_stops_before_the_judge_where_the_policy_says_so",
        "unit/agents/test_data_gate.py::test_a_warning_of_the_policy_stops_the_run_before_training",
        "unit/evaluation/test_traps.py::test_a_perfect_score_is_told_where_the_rows_suffice_to_mean_it",
        "unit/features/checks/test_leaks.py::test_the_target_in_other_words_is_named_and_honest_columns_are_not",
        "unit/features/checks/test_leaks.py::test_two_columns_whose_sum_is_the_target_are_named",
        "unit/features/checks/test_time_order.py::test_a_date_after_the_time_of_the_row_is_named",
        "unit/jobs/test_traps.py::test_a_copy_is_taken_out_and_a_near_copy_stays_and_is_named",
        "unit/jobs/test_traps.py::test_copies_that_differ_in_their_identifier_are_found_on_both_sides",
        "unit/jobs/test_traps.py::test_parts_of_the_sum_are_named_before_training",
    ),
    87: kept(
        "Bombs, links, paths and a million members end at the limits before anything is unpacked.",
        "unit/jobs/test_archives.py::test_a_bomb_ends_at_the_limit_wherever_it_hides",
        "unit/jobs/test_archives.py::test_a_member_that_may_not_be_there_refuses_the_archive",
        "unit/jobs/test_archives.py::test_a_million_members_are_given_up_after_a_hundred",
        "unit/jobs/test_archives.py::test_a_sparse_file_and_a_zip_are_refused",
        "unit/local/aws/sagemaker/test_registry.py::test_an_archive_that_leads_out_of_its_folder_is_refused",
    ),
    88: kept(
        "What is no package that this installation signed and registered is never served, and never run.",
        "unit/runs/test_packages.py::test_a_package_signed_by_another_key_is_refused",
        "unit/runs/test_packages.py::test_a_truncated_archive_is_refused",
        "unit/runs/test_packages.py::test_an_older_signed_package_in_the_place_of_a_newer_one_is_refused",
        "unit/runs/test_packages.py::test_an_unsigned_package_is_refused",
        "unit/runs/test_packages.py::test_what_is_no_model_archive_is_neither_signed_nor_served_and_its_canary_does_not_run",
    ),
    89: kept(
        "A serving image that declares other libraries than the model was trained with does not serve it.",
        "unit/serving/test_declared.py::test_another_version_than_the_model_was_trained_with_is_refused",
    ),
    90: kept(
        "A version that does not serve as promised is rolled back in git and on the endpoint, with its cause.",
        "flows/test_health_rollback.py::test_a_version_that_answers_wrongly_is_pointed_back",
        "flows/test_health_rollback.py::test_a_version_that_cannot_serve_is_pointed_back_and_the_earlier_one_answers",
        "unit/agents/test_deployment.py::test_a_version_that_misbehaves_is_rolled_back_with_its_cause",
        "unit/jobs/test_training_and_packaging.py::test_a_model_that_answers_every_row_alike_is_not_packaged",
    ),
    96: kept(
        "A run that is killed or aborted is closed, its jobs are stopped and its end is told.",
        "flows/local/github/test_runner.py::test_after_kill_minus_nine_everything_is_back_and_the_run_is_failed",
        "unit/stepfunctions/test_whole_runs.py::test_an_aborted_run_is_closed_and_its_jobs_are_stopped",
        "flows/test_line.py::test_an_execution_stopped_by_hand_is_closed_as_aborted",
    ),
    102: kept(
        "Secrets are masked before a line is written, in addresses, base64 and JSON too.",
        "unit/test_journal.py::test_abuse_row_102_secrets_are_masked_in_every_dress",
        "unit/test_journal.py::test_abuse_row_102_a_learned_value_is_masked_plain_and_encoded",
        "unit/test_journal.py::test_abuse_row_102_any_learned_value_is_found_inside_base64",
    ),
}
