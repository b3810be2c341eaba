/* SPDX-License-Identifier: Apache-2.0 */
#include "seal.h"

#include "ee/rng.h"
#include "ee_test.h"
#include "sealed.h"

static void the_checksum_is_crc_64_xz(void) {
  CU_ASSERT_EQUAL(ee_crc64(0, "123456789", 9), 0x995dc9bbdf1939fau);  // the check value
  CU_ASSERT_EQUAL(ee_crc64(0, "", 0), 0);

  unsigned char b[300];
  ee_rng        rng = ee_rng_at(1, 0);
  for (size_t i = 0; i < sizeof b; i++) b[i] = (unsigned char)ee_rng_bits(&rng);
  for (size_t n = 0; n < sizeof b - 7; n++)
    CU_ASSERT_EQUAL(ee_crc64(0, b + n % 8, n), naive_crc64(b + n % 8, n));
}

static void the_checksum_of_parts_is_that_of_the_whole(void) {
  unsigned char b[100];
  for (size_t i = 0; i < sizeof b; i++) b[i] = (unsigned char)(i * i);
  for (size_t cut = 0; cut <= sizeof b; cut++) {
    uint64_t crc = ee_crc64(ee_crc64(0, b, cut), b + cut, sizeof b - cut);
    CU_ASSERT_EQUAL(crc, naive_crc64(b, sizeof b));
  }
}

/* A file of @p n bytes behind its seal. */
static const char *stamped_file(size_t n) {
  const char    *path = ee_test_path("stamped");
  unsigned char *b    = calloc(SEAL + n, 1);
  for (size_t i = 0; i < n; i++) b[SEAL + i] = (unsigned char)(i * 7 + i / 256);
  write_bytes(path, b, SEAL + n);
  free(b);
  CU_ASSERT_EQUAL_FATAL(ee_seal_stamp(path, "shown"), EE_OK);
  return path;
}

static void a_stamped_file_passes_whatever_its_length(void) {
  size_t length[] = {0, 1, 7, 8, 100, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20};
  for (size_t i = 0; i < sizeof length / sizeof length[0]; i++)
    CU_ASSERT_EQUAL(ee_seal_check(stamped_file(length[i])), EE_OK);
}

static void the_seal_has_the_layout_that_is_documented(void) {
  bytes b = read_bytes(stamped_file(1000)), again = read_bytes(stamped_file(1000));
  CU_ASSERT_EQUAL(memcmp(b.at,
                         "\x89"
                         "EESEAL\n\1\0\0\0\0\0\0\0",
                         16),
                  0);
  reseal(again);  // with lengths and checksums of its own
  CU_ASSERT_EQUAL(memcmp(b.at, again.at, SEAL), 0);
  for (int i = 200; i < 504; i++) CU_ASSERT_EQUAL(b.at[i], 0);
  free(b.at);
  free(again.at);
}

static void damage_of_any_byte_or_length_is_found(void) {
  check_damage(stamped_file(3000), ee_seal_check);
}

static void a_reason_is_given_for_each_kind_of_file(void) {
  const char *path = ee_test_path("other");
  CU_ASSERT_EQUAL(ee_seal_check(path), EE_ERR_FILE);
  CU_ASSERT_TRUE(message_says(path, "No such file"));
  CU_ASSERT_EQUAL(ee_seal_check("/"), EE_ERR_FILE);
  CU_ASSERT_TRUE(message_says("/", "not a regular file"));

  write_bytes(path, "", 0);
  CU_ASSERT_EQUAL(ee_seal_check(path), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(path, "not a sealed"));
  write_bytes(path, "\x89HDF\r\n\x1a\n and more", 17);
  CU_ASSERT_EQUAL(ee_seal_check(path), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(path, "without EdgeExit's seal"));
}

static void a_wrong_length_is_said_with_both_lengths(void) {
  const char *path = stamped_file(1000);
  CU_ASSERT_FATAL(truncate(path, SEAL + 999) == 0);
  CU_ASSERT_EQUAL(ee_seal_check(path), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(path, "cut short: 999 bytes follow its seal, which says 1000"));
  CU_ASSERT_FATAL(truncate(path, SEAL + 1001) == 0);
  CU_ASSERT_EQUAL(ee_seal_check(path), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(path, "too long: 1001 bytes"));
  CU_ASSERT_FATAL(truncate(path, SEAL - 1) == 0);
  CU_ASSERT_EQUAL(ee_seal_check(path), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(path, "ends after 511 bytes, inside its seal"));
}

static void a_seal_of_a_later_version_is_named(void) {
  const char *path = stamped_file(10);
  bytes       b    = read_bytes(path);
  b.at[8]          = 2;
  reseal(b);
  write_bytes(path, b.at, b.n);
  CU_ASSERT_EQUAL(ee_seal_check(path), EE_ERR_UNSUPPORTED);
  CU_ASSERT_TRUE(message_says(path, "version 2"));
  free(b.at);
}

static void a_file_that_cannot_be_written_is_no_crash(void) {
  CU_ASSERT_EQUAL(ee_seal_stamp("/nowhere/x", "shown"), EE_ERR_FILE);
  CU_ASSERT_TRUE(message_says("shown", "No such file"));
}

const ee_fact ee_facts[] = {
    EE_FACT(the_checksum_is_crc_64_xz),
    EE_FACT(the_checksum_of_parts_is_that_of_the_whole),
    EE_FACT(a_stamped_file_passes_whatever_its_length),
    EE_FACT(the_seal_has_the_layout_that_is_documented),
    EE_FACT(damage_of_any_byte_or_length_is_found),
    EE_FACT(a_reason_is_given_for_each_kind_of_file),
    EE_FACT(a_wrong_length_is_said_with_both_lengths),
    EE_FACT(a_seal_of_a_later_version_is_named),
    EE_FACT(a_file_that_cannot_be_written_is_no_crash),
    {NULL, NULL},
};
