// The host's side of the table of kinds (<plait/kinds.h>): what it has to know of each. How one is added:
// kinds.md.
#pragma once
#include <plait/abi.h>

#include <span>
#include <string>

#include "base/status.h"

namespace plait::inline registry {

// What an instance is made of. Parts and values: of the kinds that are made for some (Kind::made_for).
struct MakeCall {
  plait_context* context;
  const plait_config* config;
  uint32_t n_parts = 0;
  const plait_tensor_spec* const* parts = nullptr;
  uint32_t value = 0;  // PLAIT_VALUE_*
  plait_device_info* device_info = nullptr;
};

struct Kind {
  const char* name;
  // Whether the rules of a type have all that the host cannot do without. Null: the kind can do without any.
  bool (*has_rules)(const plait_type& type) = nullptr;
  // Whether what the rules say of the type's fields is true of them; null: they say nothing of any.
  // Fails with: kInvalid naming the field.
  Status (*check_field_names)(const plait_type& type) = nullptr;
  // Whether `ops` has every function that a type of the kind cannot do without.
  // Fails with: kInvalid naming those that are missing.
  Status (*check_ops)(const void* ops) = nullptr;
  // The same of an implementation for a device, where it needs others. Null: check_ops.
  Status (*check_device_ops)(const void* ops) = nullptr;
  // Whether what a type's rules say and what `ops` can do go together; null: they always do.
  // Fails with: kInvalid naming what is there without the other.
  Status (*check_pair)(const plait_type& type, const void* ops) = nullptr;
  // What instance.h makes instances by; null: instances of the kind are made elsewhere.
  int (*make)(const void* ops, const MakeCall& call, void** self) = nullptr;
  void (*(*destroyer)(const void* ops))(void* self) = nullptr;
  // What an instance is made for, besides its configuration.
  enum class For { kNothing, kParts, kValues };
  For made_for = For::kNothing;
  // Fields of a type may name a stage (PLAIT_FIELD_STAGE).
  bool may_name_stages = false;
  // Runs where the job's device is, on its memory: an implementation for the host does not do.
  bool works_on_device = false;
  // Its children are blocks that it writes into networks: they are made with those, not with it.
  bool writes_its_children = false;
};

// In the order in which people list them.
std::span<const Kind> kind_table();
// Null when there is none of that name.
const Kind* find_kind(const std::string& name);

// Names of all kinds, in the same order.
std::span<const char* const> kinds();
bool is_kind(const std::string& name);

}  // namespace plait::inline registry
