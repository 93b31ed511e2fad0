/* SPDX-License-Identifier: MIT */
/* The commands that there are; main.c has their table. */
#ifndef GLIA_CLI_SHELL_COMMANDS_H
#define GLIA_CLI_SHELL_COMMANDS_H

#include "shell/options.h"

extern const struct command train_command, eval_command, predict_command, inspect_command,
    bench_command, sweep_command, report_command;
extern const struct command runs_list_command, runs_compare_command, runs_repeat_command;
extern const struct command data_list_command, data_check_command, data_fetch_command,
    data_show_command, data_export_command;

#endif
