/* The rules of a source (plait_type.rules) that opens files which a person names alone, as `plait predict --in FILE`
 * does: by which names it is taken for them, and which of its fields say what is asked of the file. NULL rules: the
 * source is named in a block.
 */
#ifndef PLAIT_GIVEN_FILE_H
#define PLAIT_GIVEN_FILE_H
#include "abi.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  /* Rows of numbers in a text: a record's first part has one axis, of all numbers of its row, unless the field of
   * extents says otherwise. A pipe whose first bytes are no source's `magic` is taken for such a text. */
  PLAIT_SOURCE_TABLE = 1,
  /* Lines of a text: a record's first part is the bytes of its line, U8 of one variable axis, whose longest extent the
   * field of extents says (I64, not repeated). A pipe whose first bytes are no source's `magic` is taken for such a
   * text where records of bytes of one variable axis are wanted. */
  PLAIT_SOURCE_LINES = 2
};

typedef struct plait_source_rules {
  uint32_t struct_size;
  uint32_t flags; /* PLAIT_SOURCE_* */
  /* Of the files that it opens where nothing else is said: ".npy"; as plait_sink_rules has them. At least one. */
  const char* const* endings;
  uint32_t n_endings;
  uint32_t reserved;
  plait_str magic; /* what every such file begins with; size 0: nothing is sure */
  /* Names of fields. Of the file: a STRING with PLAIT_FIELD_PATH, which alone has to be there. */
  const char* file_field;
  /* NULL where the source has no such field. Of the part that the file becomes: its name (STRING), its extents without
   * N (I64, repeated), and the type of its elements (ENUM, some of "u8", "i32", "i64", "f32", "f64"): a number that the
   * type cannot hold then makes its record a bad one, or fails open. */
  const char* part_field;
  const char* shape_field;
  const char* dtype_field;
  /* NULL, or whether the first row is a heading: an ENUM of "true", "false" and "auto", which is: it finds out. */
  const char* heading_field;
} plait_source_rules;

#ifdef __cplusplus
}
#endif
#endif
