/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ee/status.h"
#include "ee_test.h"

/**
 * @file sealed.h
 * What the tests of sealed files share: an own checksum, damage, and an independent reader.
 */

#define SEAL 512  // bytes in front of the HDF5 part

/** Opens and closes a file; its status. */
typedef ee_status (*open_fn)(const char *path);

/** A file in memory. */
typedef struct bytes {
  unsigned char *at;
  size_t         n;
} bytes;

static inline bytes read_bytes(const char *path) {
  struct stat info;
  bytes       b    = {NULL, 0};
  FILE       *file = fopen(path, "rb");
  CU_ASSERT_FATAL(file != NULL && fstat(fileno(file), &info) == 0);
  b.n  = (size_t)info.st_size;
  b.at = malloc(b.n + 1);
  CU_ASSERT_FATAL(b.at != NULL && fread(b.at, 1, b.n, file) == b.n);
  fclose(file);
  return b;
}

static inline void write_bytes(const char *path, const void *at, size_t n) {
  FILE *file = fopen(path, "wb");
  CU_ASSERT_FATAL(file != NULL && fwrite(at, 1, n, file) == n);
  CU_ASSERT_FATAL(fclose(file) == 0);
}

/** CRC-64/XZ bit by bit, as its definition has it. */
static inline uint64_t naive_crc64(const unsigned char *at, size_t n) {
  uint64_t crc = ~(uint64_t)0;
  for (size_t i = 0; i < n; i++) {
    crc ^= at[i];
    for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xc96c5795d7870f42u : crc >> 1;
  }
  return ~crc;
}

static inline void put_u64(unsigned char *at, uint64_t x) {
  for (int i = 0; i < 8; i++) at[i] = (unsigned char)(x >> 8 * i);
}

/** What a hostile author would do: a valid seal on changed contents. */
static inline void reseal(bytes b) {
  put_u64(b.at + 16, b.n - SEAL);
  put_u64(b.at + 24, naive_crc64(b.at + SEAL, b.n - SEAL));
  put_u64(b.at + 504, naive_crc64(b.at, 504));
}

/** Where @p n bytes stand for the first time in the HDF5 part; fatal if nowhere. */
static inline size_t find_bytes(bytes b, const void *what, size_t n) {
  for (size_t i = SEAL; i + n <= b.n; i++) {
    if (memcmp(b.at + i, what, n) == 0) return i;
  }
  CU_FAIL_FATAL("the bytes looked for are not in the file");
  return 0;
}

/** Put @p to in the place of @p from, of as many bytes, under a good seal. */
static inline void replace_bytes(const char *path, const void *from, const void *to, size_t n) {
  bytes b = read_bytes(path);
  memcpy(b.at + find_bytes(b, from, n), to, n);
  reseal(b);
  write_bytes(path, b.at, b.n);
  free(b.at);
}

/** The last failure named @p path and said @p words. */
static inline bool message_says(const char *path, const char *words) {
  bool says = strstr(ee_status_message(), path) != NULL && strstr(ee_status_message(), words);
  if (!says) printf("  message: %s\n  expected: %s\n", ee_status_message(), words);
  return says;
}

static inline bool refused(const char *path, open_fn open_file) {
  ee_status status = open_file(path);
  return (status == EE_ERR_FORMAT || status == EE_ERR_FILE) &&
         strstr(ee_status_message(), path) != NULL;
}

static inline int count_accepted_flips(const char *path, bytes b, open_fn open_file) {
  int    fd       = open(path, O_RDWR);
  int    accepted = 0;
  size_t step     = b.n / 1500 + 1;
  for (size_t i = 0; i < b.n; i += i < SEAL ? 1 : step) {
    unsigned char bad = b.at[i] ^ (unsigned char)(1 << i % 8);
    if (pwrite(fd, &bad, 1, (off_t)i) != 1 || !refused(path, open_file)) accepted++;
    if (pwrite(fd, b.at + i, 1, (off_t)i) != 1) accepted++;
  }
  close(fd);
  return accepted;
}

static inline int count_accepted_lengths(const char *path, bytes b, open_fn open_file) {
  int    accepted = 0;
  size_t step     = b.n / 100 + 1;
  for (size_t n = b.n - 1; n<b.n; n -= n> step ? step : n > 0 ? n : 1) {
    if (truncate(path, (off_t)n) != 0 || !refused(path, open_file)) accepted++;
  }
  write_bytes(path, b.at, b.n);
  if (truncate(path, (off_t)b.n + 1) != 0 || !refused(path, open_file)) accepted++;
  return accepted;
}

/** Every damaged version of the good file @p path is refused, and the file is left good. */
static inline void check_damage(const char *path, open_fn open_file) {
  bytes b = read_bytes(path);
  CU_ASSERT_EQUAL(open_file(path), EE_OK);
  CU_ASSERT_EQUAL(count_accepted_flips(path, b, open_file), 0);
  CU_ASSERT_EQUAL(count_accepted_lengths(path, b, open_file), 0);
  write_bytes(path, b.at, b.n);
  CU_ASSERT_EQUAL(open_file(path), EE_OK);
  free(b.at);
}

/** Whether anything stands at @p path or beside it as PATH.tmp-PID. */
static inline bool left_over(const char *path) {
  char tmp[512];
  snprintf(tmp, sizeof tmp, "%s.tmp-%ld", path, (long)getpid());
  return access(path, F_OK) == 0 || access(tmp, F_OK) == 0;
}

/** The first line that @p python prints when it runs @p program; false if there is none. */
static inline bool ask_python(const char *python, const char *program, char *answer, int size) {
  char command[2048];
  snprintf(command, sizeof command, "%s -c '%s' 2>/dev/null", python, program);
  FILE *pipe = popen(command, "r");
  if (pipe == NULL) return false;
  bool answered = fgets(answer, size, pipe) != NULL;
  pclose(pipe);
  return answered;
}

/** Run a h5py program on file "f"; false, and the fact is skipped, without h5py. */
static inline bool ask_h5py(const char *path, const char *program, char *answer, int size) {
  static const char *const python[] = {"python3", "/usr/bin/python3"};
  char                     whole[1536];
  snprintf(whole, sizeof whole, "import h5py\nimport numpy as np\nf = h5py.File(\"%s\", \"r\")\n%s",
           path, program);
  for (int i = 0; i < 2; i++) {
    if (!ask_python(python[i], "import h5py; print(1)", answer, size)) continue;
    if (!ask_python(python[i], whole, answer, size)) snprintf(answer, (size_t)size, "no answer");
    return true;
  }
  ee_test_skip("there is no python3 with h5py");
  return false;
}
