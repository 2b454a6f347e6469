// Pretrainers: stages of training that come before the job's own, written as pipeline text.
//
//   void next_stage(const Network& network, int stage, StageBuilder& builder) const;
//
// Emits at most one stage (builder.stage(title, text)); none: pretraining is complete.
// Threads: [setup]
#pragma once
#include <string>
#include <string_view>

#include "entry.hpp"
#include "tensor.hpp"

namespace plait::sdk {

// A layer of the network that is pretrained.
class NetworkLayer {
 public:
  explicit NetworkLayer(const plait_network_layer* layer) : c_(layer) {}
  std::string_view name() const { return c_->name; }
  std::string_view type() const { return c_->type_id; }
  // As written in the resolved pipeline file: layer { ... }
  std::string_view text() const { return c_->text; }
  uint32_t parameters() const { return c_->n_parameters; }  // tensors; 0: nothing to train
  Spec input() const { return Spec(c_->input); }            // of input 0, N = batch
  Spec output() const { return Spec(c_->output); }
  size_t inputs() const { return c_->n_inputs; }
  // Fails with: kInvalid when there is no input `i`.
  std::string_view input_name(size_t i = 0) const {
    if (i >= inputs())
      throw Error("layer \"", name(), "\" has ", inputs(), " inputs: input ", i, " does not exist");
    return c_->inputs[i];
  }

 private:
  const plait_network_layer* c_;
};

class Network {
 public:
  explicit Network(const plait_pretrain_request* request) : c_(request) {}
  // In an order in which inputs come first.
  size_t size() const { return c_->n_layers; }
  NetworkLayer operator[](size_t i) const {
    if (i >= size()) throw Error("layer ", i, " does not exist");
    return NetworkLayer(c_->layers[i]);
  }
  bool has(std::string_view name) const { return find(name) < size(); }
  NetworkLayer layer(std::string_view name) const {
    const size_t i = find(name);
    if (i == size()) throw Error("the network has no layer \"", name, "\"");
    return (*this)[i];
  }
  int64_t steps_per_epoch() const { return c_->steps_per_epoch; }

 private:
  size_t find(std::string_view name) const {
    size_t i = 0;
    while (i < size() && NetworkLayer(c_->layers[i]).name() != name) ++i;
    return i;
  }
  const plait_pretrain_request* c_;
};

class StageBuilder {
 public:
  explicit StageBuilder(const plait_stage_builder* builder) : c_(builder) {}
  // A job in the text of a pipeline file; see plait_stage_builder.
  void stage(std::string_view title, std::string_view text) {
    if (c_->stage(c_, {title.data(), title.size()}, {text.data(), text.size()}) != PLAIT_OK) {
      throw Error("stage \"", title, "\" is not acceptable to the host");
    }
  }

 private:
  const plait_stage_builder* c_;
};

namespace detail {

template <class T>
concept IsPretrainer = requires(const T& t, const Network& network, StageBuilder& builder) {
  t.next_stage(network, int{}, builder);
};

template <class T>
constexpr void check_pretrainer() {
  PLAIT_SDK_CHECK_CALL(next_stage, const T,
                       "void next_stage(const Network& network, int stage, StageBuilder& builder) const",
                       void, const Network&, int, StageBuilder&);
  check_open<T>();
}

template <class T>
int next_stage(const void* self, plait_context* context, const plait_pretrain_request* request,
               const plait_stage_builder* builder) noexcept {
  return guard(context, [&] {
    StageBuilder stages(builder);
    as<T>(self).next_stage(Network(request), static_cast<int>(request->stage), stages);
  });
}

template <class T>
const plait_pretrainer_ops* pretrainer_ops() {
  static constexpr plait_pretrainer_ops ops{sizeof(plait_pretrainer_ops), 0, &create_thunk<T>,
                                            &destroy_thunk<T>, &next_stage<T>};
  return &ops;
}

}  // namespace detail

// A pretrainer type and its implementation.
template <class T>
Entry pretrainer(const char* id) {
  static_assert(detail::IsPretrainer<T>,
                "a pretrainer needs: void next_stage(const Network&, int stage, StageBuilder&) const");
  detail::check_pretrainer<T>();
  return detail::make_entry<T>("pretrainer", id, nullptr, kCpu, detail::pretrainer_ops<T>());
}

}  // namespace plait::sdk
