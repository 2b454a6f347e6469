/* The extension "plait.numerics/1" of a plugin: what, besides its own code and configuration, decides the
 * bits of its results.
 *
 * A library that the plugin calls computes by its own version, by the instruction set that it chooses on this
 * processor and by its own environment variables. The host cannot see these:
 * plait_plugin.get_extension(PLAIT_EXTENSION_NUMERICS) then answers a plait_numerics. Ranks whose texts
 * differ do not train together, and a run is not resumed under another text unless the person accepts it.
 * Everything is static.
 */
#ifndef PLAIT_NUMERICS_H
#define PLAIT_NUMERICS_H
#include "abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLAIT_EXTENSION_NUMERICS "plait.numerics/1"

typedef struct plait_numerics {
  uint32_t struct_size;
  uint32_t reserved;
  /* A line for each fact, "name: value": "oneDNN: 3.7.1", "instruction set: avx2". What holds here and now,
   * the same whenever it is asked for in a process; nothing of paths, times or counts of processors. NULL: it
   * could not be found out. [setup] */
  const char* (*text)(void);
} plait_numerics;

#ifdef __cplusplus
}
#endif
#endif
