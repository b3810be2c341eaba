/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** @file import_exits.h  `edgeexit import exits`, a part of `edgeexit import`. */

/** Like the subcommands in command.h. */
int ee_app_import_exits(int argc, char **argv);
