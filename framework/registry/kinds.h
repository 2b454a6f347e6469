// The table of kinds: what the registry has to know of each. A new kind is a line here, its header in sdk/
// and its laws in verify/.
#pragma once
#include <plait/abi.h>

#include <span>
#include <string>

#include "base/status.h"

namespace plait {

struct Kind {
  const char* name;
  // Whether the rules of a type have all that the host cannot do without. Null: the kind can do without any.
  bool (*has_rules)(const plait_type& type);
  // Whether `ops` has every function that a type of the kind cannot do without.
  // Fails with: kInvalid naming those that are missing.
  Status (*check_ops)(const void* ops);
  // Whether what a type's rules say and what `ops` can do go together; null: they always do.
  // Fails with: kInvalid naming what is there without the other.
  Status (*check_pair)(const plait_type& type, const void* ops);
  // The functions of a kind whose instances need nothing but a configuration; null for the others.
  struct Maker {
    int (*make)(plait_context* context, const plait_config* config, void** self) = nullptr;
    void (*destroy)(void* self) = nullptr;
  };
  Maker (*maker)(const void* ops);
};

// In the order in which people list them.
std::span<const Kind> kind_table();
// Null when there is none of that name.
const Kind* find_kind(const std::string& name);

// Names of all kinds, in the same order.
std::span<const char* const> kinds();
bool is_kind(const std::string& name);

}  // namespace plait
