/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * @file status.h
 * How a function says that it failed, and how the reason reaches a person.
 *
 * A function that a caller, a file or a device can make fail returns an ee_status.  The one that
 * finds the fault records a sentence with EE_FAIL; everyone above passes the status on with
 * EE_TRY; the program prints the sentence once, at the top.  ee_agree() in agree.h makes the
 * status and the sentence those of all ranks.
 */

/** Every status once: name, then the text shown to people. */
#define EE_STATUS_LIST(X)                                        \
  X(EE_OK, "success")                                            \
  X(EE_ERR_USAGE, "the command line is wrong")                   \
  X(EE_ERR_ARG, "an argument is outside its valid range")        \
  X(EE_ERR_STATE, "the call is out of order")                    \
  X(EE_ERR_NOMEM, "an allocation failed")                        \
  X(EE_ERR_MISMATCH, "ranks passed different values")            \
  X(EE_ERR_FILE, "a file cannot be read or written")             \
  X(EE_ERR_FORMAT, "a file is damaged or not of the right form") \
  X(EE_ERR_UNSUPPORTED, "this is not supported")                 \
  X(EE_ERR_PEER, "another device sent something unexpected")     \
  X(EE_ERR_INTERRUPTED, "somebody asked it to end")

typedef enum {
#define X(name, text) name,
  EE_STATUS_LIST(X)
#undef X
} ee_status;

/** Longest recorded sentence, with its ending zero [byte]. */
#define EE_MESSAGE_BYTES 1024

/** Text of @p status; static storage, never NULL. */
const char *ee_status_text(ee_status status);

/** The sentence that the last EE_FAIL recorded; "" if none.  Not collective; static storage. */
const char *ee_status_message(void);

/** Record a sentence and return @p status.  Used through EE_FAIL.  With EE_ERR_NOMEM it is enough
 * to say what memory was wanted for: "out of memory " is put before "for ..." and "to ...". */
ee_status ee_status_record(ee_status status, const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/** Record why, and give back the status: `return EE_FAIL(EE_ERR_ARG, "n is %d", n);` */
#define EE_FAIL(status, ...) ee_status_record((status), __FILE__, __LINE__, __VA_ARGS__)

/** Return @p call's status to the caller unless it is EE_OK.  For functions that own nothing. */
#define EE_TRY(call)                      \
  do {                                    \
    ee_status ee_try_ = (call);           \
    if (ee_try_ != EE_OK) return ee_try_; \
  } while (0)
