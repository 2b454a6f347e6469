// A block (plait_block) as text, for tests: "acme.plane{units: 12, bias: false}".
#pragma once
#include <plait/abi.h>

#include <sstream>
#include <string>

namespace plait::sdk::testing {

inline std::string block_text(const plait_block& block) {
  std::ostringstream text;
  text << (block.child != nullptr ? block.child->id : block.type_id) << "{";
  for (uint32_t i = 0; i < block.n_settings; ++i) {
    const plait_setting& one = *block.settings[i];
    text << (i > 0 ? ", " : "") << one.name << ": ";
    if (one.kind == PLAIT_FIELD_BOOL) text << (one.i64 != 0 ? "true" : "false");
    if (one.kind == PLAIT_FIELD_I64) text << one.i64;
    if (one.kind == PLAIT_FIELD_F64) text << one.f64;
    if (one.kind == PLAIT_FIELD_STRING) text << '"' << std::string(one.string.data, one.string.size) << '"';
  }
  text << "}";
  return text.str();
}

}  // namespace plait::sdk::testing
