// A library with a note, whose constructor crashes where the note says that it is for another draft: nobody
// may get as far as that.
#include <plait/note.h>

#include <csignal>

#ifdef PLAIT_ABI_DRAFT_OF_TEST
#undef PLAIT_ABI_DRAFT
#define PLAIT_ABI_DRAFT PLAIT_ABI_DRAFT_OF_TEST
__attribute__((constructor)) static void begin() { raise(SIGSEGV); }
#endif

PLAIT_NOTE("test.noted", "2.0.1", 0,
           PLAIT_NOTE_SERVES("layer", "test.noted_layer") PLAIT_NOTE_SERVES("loss", "test.noted_loss")
               PLAIT_NOTE_IMPLEMENTS("schedule", "test.line", "test.moon"));

extern "C" __attribute__((visibility("default"))) const plait_plugin* plait_plugin_v1(const plait_host*) {
  return nullptr;
}
