/* The note: what a library serves, in its ELF file, so that a host can read it without running any of its
 * code. It is then refused in words before its constructors run when it is for another draft, and named when
 * a file wants a type of it but it did not load. Optional: a library without a note loads as well.
 * <plait/sdk.hpp> writes it by itself; in plain C, once per library, at file scope:
 *
 *   PLAIT_NOTE("acme.schedules", "1.0.0", 0, PLAIT_NOTE_SERVES("schedule", "acme.inverse"));
 *
 * Arguments: id and version of the library; the minor of the oldest host that it can live with
 * (min_host_minor); and PLAIT_NOTE_SERVES and PLAIT_NOTE_IMPLEMENTS, one after the other, without commas.
 * All are literals, and say what the tables say: `plait verify` compares.
 *
 * In the file it is a note (`readelf -n`) of owner "Plait" and type 1 whose description is text, one line
 * each:
 *
 *   abi 1.0 draft 1 needs 0           built with this header; needs a host of this minor
 *   plugin acme.schedules 1.0.0
 *   schedule acme.inverse             a type: kind and id
 *   implementation layer acme.swish acme.gpu  of another library's type (kind and id), on this device
 *   more                              the tables hold more than is named here
 *
 * Readers pass over lines that they do not know.
 */
#ifndef PLAIT_NOTE_H
#define PLAIT_NOTE_H
#include <plait/abi.h>

#define PLAIT_NOTE_SERVES(kind, id) kind " " id "\n"
#define PLAIT_NOTE_IMPLEMENTS(kind, type_id, device_id) "implementation " kind " " type_id " " device_id "\n"

#define PLAIT_NOTE_QUOTE_(x) #x
#define PLAIT_NOTE_QUOTE(x) PLAIT_NOTE_QUOTE_(x)
#define PLAIT_NOTE_ABI(needs)                                                                                \
  "abi " PLAIT_NOTE_QUOTE(PLAIT_ABI_MAJOR) "." PLAIT_NOTE_QUOTE(PLAIT_ABI_MINOR) " draft " PLAIT_NOTE_QUOTE( \
      PLAIT_ABI_DRAFT) " needs " PLAIT_NOTE_QUOTE(needs) "\n"
#define PLAIT_NOTE_TEXT(id, version, needs, serves) PLAIT_NOTE_ABI(needs) "plugin " id " " version "\n" serves

/* The section's name makes assemblers and linkers take it for a note, which they neither strip nor collect.
 */
#define PLAIT_NOTE_SECTION section(".note.plait"), used, aligned(4)
#if defined(__clang__) /* whose -fsanitize=address would lay a red zone around it */
#define PLAIT_NOTE_PLACE __attribute__((PLAIT_NOTE_SECTION, no_sanitize("address")))
#else
#define PLAIT_NOTE_PLACE __attribute__((PLAIT_NOTE_SECTION))
#endif

#define PLAIT_NOTE(id, version, needs, serves)                                        \
  PLAIT_NOTE_PLACE static const struct {                                              \
    uint32_t owner_size, text_size, type;                                             \
    char owner[8];                                                                    \
    char text[sizeof(PLAIT_NOTE_TEXT(id, version, needs, serves))];                   \
  } plait_note = {6, sizeof(PLAIT_NOTE_TEXT(id, version, needs, serves)), 1, "Plait", \
                  PLAIT_NOTE_TEXT(id, version, needs, serves)}
#endif
