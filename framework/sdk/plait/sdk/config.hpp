// Reading a checked configuration. Authors do not need it: describe() fills their struct. See describe.hpp.
//
// Fails with: kInvalid when a value is missing or of another kind than described (a host that breaks the
// border). Threads: [any]
#pragma once
#include <string_view>

#include "error.hpp"

namespace plait::sdk::detail {

class Config {
 public:
  Config(const plait_host* host, const plait_config* config) : host_(host), config_(config) {}
  Config(const plait_context* context, const plait_config* config) : Config(context->host, config) {}

  uint32_t count(const char* field) const { return host_->config_count(config_, field); }
  bool boolean(const char* field, uint32_t index) const {
    int32_t value = 0;
    check(host_->config_bool(config_, field, index, &value), field);
    return value != 0;
  }
  int64_t integer(const char* field, uint32_t index) const {
    int64_t value = 0;
    check(host_->config_i64(config_, field, index, &value), field);
    return value;
  }
  double number(const char* field, uint32_t index) const {
    double value = 0;
    check(host_->config_f64(config_, field, index, &value), field);
    return value;
  }
  std::string_view string(const char* field, uint32_t index) const {
    plait_str value{};
    check(host_->config_string(config_, field, index, &value), field);
    return {value.data, static_cast<size_t>(value.size)};
  }
  Config message(const char* field, uint32_t index) const {
    const plait_config* value = host_->config_message(config_, field, index);
    check(value ? PLAIT_OK : PLAIT_FAILED, field);
    return {host_, value};
  }
  const plait_child* child(const char* field, uint32_t index) const {
    return host_->config_child(config_, field, index);
  }
  const plait_stage_output* stage(const char* field, uint32_t index) const {
    return PLAIT_HAS(host_, config_stage) ? host_->config_stage(config_, field, index) : nullptr;
  }

 private:
  static void check(int status, const char* field) {
    if (status != PLAIT_OK) throw Error("field \"", field, "\" has no value of the kind described");
  }

  const plait_host* host_;
  const plait_config* config_;
};

}  // namespace plait::sdk::detail
