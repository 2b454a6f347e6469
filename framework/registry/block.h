// A plugin that another plugin writes into a network (plait_block), kept by the host.
#pragma once
#include <plait/abi.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"

namespace plait::inline registry {

struct Setting {
  uint32_t kind = 0;  // PLAIT_FIELD_BOOL, _I64, _F64 or _STRING
  std::string name;
  int64_t whole = 0;  // and truth
  double real = 0;
  std::string text;
  friend bool operator==(const Setting&, const Setting&) = default;
};

// Without a child: what a layer says of itself has no configuration to point into.
struct Block {
  std::string type_id;
  std::vector<Setting> settings;
  friend bool operator==(const Block&, const Block&) = default;
};

// Fails with: kPlugin when `block` has no type, a child, or a setting of an unknown kind or without a name.
Result<Block> block_of(const plait_block& block);
// Of a list that is no block's: how a type is set up to do something.
Result<std::vector<Setting>> settings_of(const plait_setting* const* settings, uint32_t count);

// `block` as plugins see it; borrows from it. Does not move.
class RawBlock {
 public:
  explicit RawBlock(const Block& block);
  explicit RawBlock(const Block&&) = delete;
  RawBlock(const RawBlock&) = delete;
  RawBlock& operator=(const RawBlock&) = delete;
  const plait_block* raw() const { return &raw_; }

 private:
  std::vector<plait_setting> settings_;
  std::vector<const plait_setting*> pointers_;
  plait_block raw_{};
};

}  // namespace plait::inline registry
