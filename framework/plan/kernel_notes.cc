#include "plan/kernel_notes.h"

#include <algorithm>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include "base/shown.h"

namespace plait::inline plan {
namespace {

bool has_value(const plait_type& type, std::string_view name, std::string_view value) {
  for (uint32_t i = 0; i < type.n_fields; ++i) {
    const plait_field& field = *type.fields[i];
    if (field.kind != PLAIT_FIELD_ENUM || name != field.name) continue;
    const auto names = std::span(field.enum_names, field.n_enum_names);
    return std::ranges::any_of(names, [&](const char* one) { return value == one; });
  }
  return false;
}

}  // namespace

KernelNotes::KernelNotes(const TypeEntry& entry, const std::string& device_id)
    : entry_(entry),
      silent_((device_id == PLAIT_HOST_DEVICE ? std::string("own") : device_id) + ":" + entry.short_name()) {
  table_.struct_size = sizeof table_;
  table_.host_data = this;
  table_.kernel = kernel;
  table_.choice = choice;
}

KernelNotes& KernelNotes::self(const plait_kernel_notes* notes) {
  return *static_cast<KernelNotes*>(notes->host_data);
}

// Nothing is thrown through the plugin that calls: without memory a text for people is left out.
void KernelNotes::kernel(const plait_kernel_notes* notes, uint32_t phase, plait_str text) {
  if (text.data == nullptr) return;
  Kernels& told = self(notes).told_;
  auto& list = phase == PLAIT_PHASE_BACKWARD ? told.backward : told.forward;
  try {
    list.push_back(shown({text.data, text.size}));
  } catch (const std::bad_alloc&) {
    return;
  }
}

// A field that is told of again is the last that was said.
int KernelNotes::choice(const plait_kernel_notes* notes, const char* field, const char* value) {
  KernelNotes& here = self(notes);
  if (field == nullptr || value == nullptr || !has_value(*here.entry_.type, field, value))
    return PLAIT_FAILED;
  try {
    std::erase_if(here.told_.choices, [&](const KernelChoice& one) { return one.field == field; });
    here.told_.choices.push_back({field, value});
  } catch (const std::bad_alloc&) {
    return PLAIT_FAILED;
  }
  return PLAIT_OK;
}

Kernels KernelNotes::take() {
  for (auto* phase : {&told_.forward, &told_.backward})
    if (phase->empty()) phase->push_back(silent_);
  return std::move(told_);
}

}  // namespace plait::inline plan
