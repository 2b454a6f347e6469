// A plugin that another one writes into a network: a type with the fields that are not left at their
// defaults.
//
//   Block("acme.plane").set("units", 10)
//
// or a child of the writer's own configuration, Block(decoder), as the person wrote it.
#pragma once
#include <plait/abi.h>

#include <concepts>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "child.hpp"

namespace plait::sdk {

class Block {
 public:
  explicit Block(std::string type_id) : type_id_(std::move(type_id)) {}
  // A copy.
  explicit Block(const plait_block& block) : child_(block.child) {
    if (block.type_id != nullptr) type_id_ = block.type_id;
    for (uint32_t i = 0; i < block.n_settings; ++i) add(*block.settings[i]);
  }
  // Borrows the child.
  template <class Kind>
  explicit Block(const ChildBase<Kind>& child) : child_(child.c()) {}

  // Several settings of one field: a list.
  template <class Value>
  Block& set(std::string field, const Value& value) {
    Setting& setting = settings_.emplace_back();
    setting.name = std::move(field);
    if constexpr (std::same_as<Value, bool>) {
      setting.kind = PLAIT_FIELD_BOOL, setting.whole = value ? 1 : 0;
    } else if constexpr (std::integral<Value>) {
      setting.kind = PLAIT_FIELD_I64, setting.whole = static_cast<int64_t>(value);
    } else if constexpr (std::floating_point<Value>) {
      setting.kind = PLAIT_FIELD_F64, setting.real = static_cast<double>(value);
    } else {
      setting.kind = PLAIT_FIELD_STRING, setting.text = std::string_view(value);
    }
    return *this;
  }

  std::string_view type_id() const { return child_ != nullptr ? std::string_view(child_->id) : type_id_; }

  // From here on for the SDK: use(const plait_block&).
  template <class Use>
  auto with(Use use) const {
    std::deque<plait_setting> settings;
    std::vector<const plait_setting*> pointers;
    for (const Setting& one : settings_) {
      plait_setting& setting = settings.emplace_back();
      setting.struct_size = sizeof setting;
      setting.kind = one.kind;
      setting.name = one.name.c_str();
      setting.i64 = one.whole;
      setting.f64 = one.real;
      setting.string = {one.text.data(), one.text.size()};
      pointers.push_back(&setting);
    }
    plait_block block{};
    block.struct_size = sizeof block;
    block.n_settings = static_cast<uint32_t>(pointers.size());
    block.type_id = type_id_.c_str();
    block.settings = pointers.data();
    block.child = child_;
    return use(static_cast<const plait_block&>(block));
  }

 private:
  struct Setting {
    uint32_t kind = 0;
    std::string name, text;
    int64_t whole = 0;
    double real = 0;
  };

  void add(const plait_setting& from) {
    Setting& setting = settings_.emplace_back();
    setting.kind = from.kind;
    setting.name = from.name;
    setting.whole = from.i64;
    setting.real = from.f64;
    if (from.string.size > 0) setting.text.assign(from.string.data, from.string.size);
  }

  std::string type_id_;
  std::deque<Setting> settings_;
  const plait_child* child_ = nullptr;
};

}  // namespace plait::sdk
