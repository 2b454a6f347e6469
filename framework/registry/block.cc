#include "registry/block.h"

namespace plait::inline registry {
namespace {

constexpr uint32_t kMostSettings = 4096;

}  // namespace

Result<std::vector<Setting>> settings_of(const plait_setting* const* settings, uint32_t count) {
  if (count > kMostSettings || (count > 0 && settings == nullptr))
    return Status(Code::kPlugin, "has " + std::to_string(count) + " settings, wanted at most " +
                                     std::to_string(kMostSettings));
  std::vector<Setting> made;
  for (uint32_t i = 0; i < count; ++i) {
    const plait_setting* one = settings[i];
    if (one == nullptr || one->name == nullptr)
      return Status(Code::kPlugin, "setting " + std::to_string(i) + " names no field");
    if (one->kind < PLAIT_FIELD_BOOL || one->kind > PLAIT_FIELD_STRING)
      return Status(Code::kPlugin, "the setting of \"" + std::string(one->name) +
                                       "\" is of the unknown kind " + std::to_string(one->kind));
    Setting& setting = made.emplace_back();
    setting.kind = one->kind;
    setting.name = one->name;
    setting.whole = one->i64;
    setting.real = one->f64;
    if (one->kind == PLAIT_FIELD_STRING && one->string.size > 0)
      setting.text.assign(one->string.data, one->string.size);
  }
  return made;
}

Result<Block> block_of(const plait_block& block) {
  if (block.child != nullptr) return Status(Code::kPlugin, "is a child, wanted a type and settings");
  if (block.type_id == nullptr) return Status(Code::kPlugin, "names no type");
  Block made;
  made.type_id = block.type_id;
  PLAIT_ASSIGN(made.settings, settings_of(block.settings, block.n_settings));
  return made;
}

RawBlock::RawBlock(const Block& block) {
  for (const Setting& one : block.settings) {
    plait_setting& setting = settings_.emplace_back();
    setting.struct_size = sizeof setting;
    setting.kind = one.kind;
    setting.name = one.name.c_str();
    setting.i64 = one.whole;
    setting.f64 = one.real;
    setting.string = {one.text.data(), one.text.size()};
  }
  for (const plait_setting& one : settings_) pointers_.push_back(&one);
  raw_.struct_size = sizeof raw_;
  raw_.type_id = block.type_id.c_str();
  raw_.n_settings = static_cast<uint32_t>(pointers_.size());
  raw_.settings = pointers_.data();
}

}  // namespace plait::inline registry
