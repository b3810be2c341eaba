/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"
#include "ee/exit_table.h"
#include "ee/model.h"

/** @file exit_match.h  Whether an exit table is one of a model: its exits stand where the model's
 * do. */

/** EE_ERR_ARG, naming both, unless the table @p path has as many exits and classes as @p model. */
ee_status ee_match_exits(const char *path, int n_exits, int n_classes, const ee_model *model);

/** EE_ERR_ARG, naming both, unless exit @p exit of @p model, too, follows layer @p layer. */
ee_status ee_match_exit(const char *path, int exit, int layer, const ee_model *model);

/** Both, of all exits of @p table, which was read from @p path. */
ee_status ee_match_table(const char *path, const ee_exit_table *table, const ee_model *model);

/**
 * EE_ERR_ARG, naming both, if the table @p path has answers of another network than @p model_path,
 * which is read for that.  Of a table that does not tell whose answers it has, such as an imported
 * one, a sentence to the user says so.
 */
ee_status ee_match_network(const char *path, const char *model_path);

/** Name of the backend that gives @p model's answers if @p backend, which is open, is wanted: its
 *  own unless others run all nodes. */
const char *ee_backend_of_answers(const ee_backend *backend, const ee_model *model);

/** Say so if the table @p path was computed by another backend than @p model's answers will be.
 *  @return EE_OK; EE_ERR_FILE, EE_ERR_FORMAT as ee_exits_open() */
ee_status ee_say_other_backend(const char *path, const ee_model *model, const ee_backend *backend);

/** EE_ERR_ARG, naming both, if two tables tell of different networks. */
ee_status ee_match_networks(const char *path, const char *other);
