/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** @file provenance.h  What was done to a model, a line each. */

/**
 * Put @p line at the end of @p text, in place of those that begin with @p start.
 * @param text  malloc()ed or NULL; freed
 * @param line  without a line end
 * @return malloc()ed; NULL if memory is short, and @p text is left alone
 */
char *ee_provenance_note(char *text, const char *start, const char *line);
