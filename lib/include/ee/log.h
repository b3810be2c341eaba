/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * @file log.h
 * Messages for people, on stderr.  Levels are defined by volume:
 * warning: something the user should change; info: a few lines a run; debug: as many as you like.
 */
typedef enum { EE_LOG_WARNING, EE_LOG_INFO, EE_LOG_DEBUG } ee_log_level;

/** Say up to @p level; the default is EE_LOG_INFO, or what the environment's EE_LOG names. */
void ee_log_set_level(ee_log_level level);

/** Name this process in later messages, for example by its rank; negative: no name. */
void ee_log_set_rank(int rank);

/** Print one line if @p level is to be said.  Not collective. */
void ee_log(ee_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
