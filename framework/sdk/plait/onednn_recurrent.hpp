// oneDNN's recurrent cells for layers that are Recurrent (recurrent.hpp) and made with ONEDNN: lstm and, as
// PyTorch has it, gru (oneDNN's "linear before reset").
//
// Steps lie one after the other in the workspace, [W, N, ...]. Saved: the states and oneDNN's own workspace.
// Weights are stored as [C or units, gates, units], gates in oneDNN's order. Threads: as onednn.hpp.
// Fails with: kUnsupported for what oneDNN does not compute.
#pragma once
#include <plait/onednn.hpp>
#include <plait/recurrent.hpp>

namespace plait::sdk {

// kOrder: which of oneDNN's gates each of the layer's is. kBiases: rows of oneDNN's one bias.
struct OneDnnLstm {
  static constexpr size_t kGates = 4, kBiases = 4, kOrder[] = {0, 1, 2, 3};
  using Forward = dnnl::lstm_forward;
  using Backward = dnnl::lstm_backward;
};
struct OneDnnGru {
  static constexpr size_t kGates = 3, kBiases = 4,
                          kOrder[] = {1, 0, 2};  // the last: what is inside of r (Wh h + bh)
  using Forward = dnnl::lbr_gru_forward;
  using Backward = dnnl::lbr_gru_backward;
};

template <class Cell>
class OneDnnRecurrent {
 public:
  OneDnnRecurrent(const Recurrent& layer, const LayerRequest& r, LayerNeeds& n)
      : batch_(static_cast<size_t>(r.input().shape(0))),
        steps_(static_cast<size_t>(r.input().shape(1))),
        channels_(static_cast<size_t>(r.input().shape(2))),
        units_(static_cast<size_t>(layer.units)),
        all_states_(layer.output == States::kAll),
        order_(layer, batch_, steps_) {
    n.backward_reads(Reads::inputs);
    if (batch_ == 0) return;
    try {
      make(r.training());
    } catch (const dnnl::error& error) {
      throw Error(ErrorCode::kUnsupported, "oneDNN cannot compute this cell: ", error.what());
    }
    n.workspace(place(r.training()));
    if (r.training()) n.saved(round_up(states_bytes(), 64) + kept_bytes_);
  }

  void forward(Context& c, const LayerCall& call) const {
    if (batch_ == 0) return;
    auto* const space = call.workspace<uint8_t>();
    float *const x = part(space, x_), *const bias = part(space, bias_);
    float* const states = call.training() ? call.saved<float>() : part(space, states_);
    order_.take(c, call.input(), call.input().f32().data(), channels_, x);
    join_biases(call, bias);
    const float *const wi = call.parameter(0), *const wh = call.parameter(1);
    Places places{x, wi, wh, bias, states};
    begin(places, zeros(nullptr, part(space, start_), batch_ * units_));
    if (call.training()) places.push_back(kept(call));
    forward_->run(places, space + scratch_);
    float* const y = call.output().f32().data();
    all_states_ ? order_.give(c, call.input(), states, units_, y)
                : order_.give_last(call.input(), states, units_, y);
  }

  void backward(Context& c, const LayerCall& call) const {
    if (batch_ == 0) return clear_gradients(call);
    auto* const space = call.workspace<uint8_t>();
    float *const x = part(space, x_), *const dy = part(space, states_), *const dx = part(space, dx_);
    const float* const of_y = call.output_gradient().f32().data();
    order_.take(c, call.input(), call.input().f32().data(), channels_, x);
    all_states_ ? order_.take(c, call.input(), of_y, units_, dy)
                : order_.take_last(c, call.input(), of_y, units_, dy);
    join_biases(call, part(space, bias_));
    void* const scratch = space + scratch_;
    const void* const wi = input_weight_.turned(call.parameter(0), space + weight_[0], scratch);
    const void* const wh = recurrent_weight_.turned(call.parameter(1), space + weight_[1], scratch);
    // oneDNN adds to them.
    float* const dwi = zeros(call.parameter_gradient(0), part(space, gradient_[0]), weights(channels_));
    float* const dwh = zeros(call.parameter_gradient(1), part(space, gradient_[1]), weights(units_));
    float* const db = zeros(nullptr, part(space, dbias_), Cell::kBiases * units_);
    Places places{x, wi, wh, part(space, bias_), call.saved<float>()};
    begin(places, zeros(nullptr, part(space, start_), batch_ * units_));
    for (const void* place : std::initializer_list<const void*>{kept(call), dy, dx, dwi, dwh, db})
      places.push_back(place);
    begin(places, part(space, dstart_[0]), part(space, dstart_[1]));
    backward_->run(places, scratch);
    part_biases(call, db);
    if (call.input_gradient())
      order_.give(c, call.input(), dx, channels_, call.input_gradient().f32().data());
  }

  void pack(Context&, uint32_t index, const float* plain, float* stored) const {
    each_number(index, [&](size_t from, size_t to) { stored[to] = plain[from]; });
  }
  void unpack(Context&, uint32_t index, const float* stored, float* plain) const {
    each_number(index, [&](size_t to, size_t from) { plain[to] = stored[from]; });
  }

 private:
  using Desc = dnnl::memory::desc;
  using Tag = dnnl::memory::format_tag;
  static constexpr bool kMemory = std::is_same_v<Cell, OneDnnLstm>;  // a memory beside the state

  // Of one call, without allocation.
  class Places {
   public:
    Places(std::initializer_list<const void*> first) {
      for (const void* place : first) push_back(place);
    }
    void push_back(const void* place) { places_[count_++] = place; }
    operator std::span<const void* const>() const { return {places_.data(), count_}; }

   private:
    std::array<const void*, OneDnnCall::kMostArguments> places_{};
    size_t count_ = 0;
  };

  Desc desc(std::initializer_list<size_t> extents, Tag tag) const {
    dnnl::memory::dims dims;
    for (const size_t extent : extents) dims.push_back(static_cast<dnnl::memory::dim>(extent));
    return {dims, dnnl::memory::data_type::f32, tag};
  }
  static auto make_forward(const dnnl::engine& e, dnnl::prop_kind kind, const Desc& x, const Desc& h,
                           const Desc& wi, const Desc& wh, const Desc& b, const Desc& y) {
    const Desc none;
    constexpr auto kDirection = dnnl::rnn_direction::unidirectional_left2right;
    const dnnl::primitive_attr attr = onednn_attributes({});
    using Pd = typename Cell::Forward::primitive_desc;
    if constexpr (kMemory)
      return Pd(e, kind, kDirection, x, h, h, wi, wh, b, y, none, none, attr);
    else
      return Pd(e, kind, kDirection, x, h, wi, wh, b, y, none, attr);
  }
  template <class ForwardPd>
  static auto make_backward(const dnnl::engine& e, const Desc& x, const Desc& h, const Desc& wi,
                            const Desc& wh, const Desc& dwi, const Desc& dwh, const Desc& b, const Desc& y,
                            const ForwardPd& forward) {
    const Desc none;
    constexpr auto kKind = dnnl::prop_kind::backward;
    constexpr auto kDirection = dnnl::rnn_direction::unidirectional_left2right;
    const dnnl::primitive_attr attr = onednn_attributes({});
    using Pd = typename Cell::Backward::primitive_desc;
    if constexpr (kMemory)
      return Pd(e, kKind, kDirection, x, h, h, wi, wh, b, y, none, none, x, h, h, dwi, dwh, b, y, none, none,
                forward, attr);
    else
      return Pd(e, kKind, kDirection, x, h, wi, wh, b, y, none, x, h, dwi, dwh, b, y, none, forward, attr);
  }

  // The orders of weights are said rather than left to oneDNN, whose choice follows from the batch.
  void make(bool training) {
    const dnnl::engine e(dnnl::engine::kind::cpu, 0);
    const Desc x = desc({steps_, batch_, channels_}, Tag::tnc), y = desc({steps_, batch_, units_}, Tag::tnc),
               b = desc({1, 1, Cell::kBiases, units_}, Tag::ldgo),
               h = desc({1, 1, batch_, units_}, Tag::ldnc);
    const Desc wi = desc({1, 1, channels_, Cell::kGates, units_}, Tag::ldigo),
               wh = desc({1, 1, units_, Cell::kGates, units_}, Tag::ldigo);
    const auto kind = training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
    const auto forward = make_forward(e, kind, x, h, wi, wh, b, y);
    std::vector<OneDnnCall::Argument> arguments{{DNNL_ARG_SRC_LAYER, x},
                                                {DNNL_ARG_WEIGHTS_LAYER, wi},
                                                {DNNL_ARG_WEIGHTS_ITER, wh},
                                                {DNNL_ARG_BIAS, b},
                                                {DNNL_ARG_DST_LAYER, y}};
    arguments.push_back({DNNL_ARG_SRC_ITER, h});
    if (kMemory) arguments.push_back({DNNL_ARG_SRC_ITER_C, h});
    if (training) arguments.push_back({DNNL_ARG_WORKSPACE, forward.workspace_desc()});
    forward_.emplace(e, typename Cell::Forward(forward), arguments, forward.scratchpad_desc());
    if (!training) return;
    kept_bytes_ = forward.workspace_desc().get_size();
    const Desc wi_back = desc({1, 1, channels_, Cell::kGates, units_}, Tag::ldgoi),
               wh_back = desc({1, 1, units_, Cell::kGates, units_}, Tag::ldgoi);
    const auto backward = make_backward(e, x, h, wi_back, wh_back, wi, wh, b, y, forward);
    input_weight_.read(e, wi, wi_back);
    recurrent_weight_.read(e, wh, wh_back);
    arguments[1].desc = wi_back, arguments[2].desc = wh_back;
    arguments.insert(arguments.end(), {{DNNL_ARG_DIFF_DST_LAYER, y},
                                       {DNNL_ARG_DIFF_SRC_LAYER, x},
                                       {DNNL_ARG_DIFF_WEIGHTS_LAYER, wi},
                                       {DNNL_ARG_DIFF_WEIGHTS_ITER, wh},
                                       {DNNL_ARG_DIFF_BIAS, b},
                                       {DNNL_ARG_DIFF_SRC_ITER, h}});
    if (kMemory) arguments.push_back({DNNL_ARG_DIFF_SRC_ITER_C, h});
    backward_.emplace(e, typename Cell::Backward(backward), arguments, backward.scratchpad_desc());
  }

  // Gives everything its place in the workspace. Returns bytes.
  uint64_t place(bool training) {
    uint64_t total = 0;
    const auto take = [&](uint64_t bytes) {
      const uint64_t at = total;
      total = Checked(total) + round_up(bytes, 64);
      return at;
    };
    const uint64_t inputs = Checked(steps_) * batch_ * channels_ * sizeof(float);
    x_ = take(inputs);
    states_ = take(states_bytes());
    bias_ = take(Checked(Cell::kBiases) * units_ * sizeof(float));
    const uint64_t state = Checked(batch_) * units_ * sizeof(float);
    start_ = take(state);
    if (training) {
      for (uint64_t& at : dstart_) at = take(state);
      weight_[0] = take(input_weight_.bytes());
      weight_[1] = take(recurrent_weight_.bytes());
      dx_ = take(inputs);
      gradient_[0] = take(Checked(weights(channels_)) * sizeof(float));
      gradient_[1] = take(Checked(weights(units_)) * sizeof(float));
      dbias_ = take(Checked(Cell::kBiases) * units_ * sizeof(float));
    }
    size_t scratch = forward_->scratchpad_bytes();
    if (backward_) scratch = std::max(scratch, backward_->scratchpad_bytes());
    for (const OneDnnWeights* w : {&input_weight_, &recurrent_weight_})
      scratch = std::max(scratch, w->scratchpad_bytes());
    scratch_ = take(scratch);
    return total;
  }

  uint64_t states_bytes() const { return Checked(steps_) * batch_ * units_ * sizeof(float); }
  void* kept(const LayerCall& call) const {
    return call.saved<uint8_t>() + size_t{round_up(Checked(states_bytes()), 64)};
  }
  static float* part(uint8_t* space, uint64_t at) { return reinterpret_cast<float*>(space + at); }

  // PyTorch has a bias of the input and one of the state, oneDNN their sum.
  void join_biases(const LayerCall& call, float* joined) const {
    const float *bi = call.parameter(2), *bh = call.parameter(3);
    const size_t rows = Cell::kGates * units_, apart = (Cell::kBiases - Cell::kGates) * units_;
    for (size_t i = 0; i < rows - apart; ++i) joined[i] = bi[i] + bh[i];
    std::copy_n(bi + rows - apart, apart, joined + rows - apart);
    std::copy_n(bh + rows - apart, apart, joined + rows);
  }
  void part_biases(const LayerCall& call, const float* joined) const {
    const size_t rows = Cell::kGates * units_, apart = (Cell::kBiases - Cell::kGates) * units_;
    if (float* to = call.parameter_gradient(2)) std::copy_n(joined, rows, to);
    if (float* to = call.parameter_gradient(3)) {
      std::copy_n(joined, rows - apart, to);
      std::copy_n(joined + rows, apart, to + rows - apart);
    }
  }
  // The state before the first step, and the memory. Without it oneDNN 3.2 gets lstm's gradient of the
  // recurrent weights wrong.
  static void begin(Places& places, const float* state) { begin(places, state, state); }
  static void begin(Places& places, const float* state, const float* memory) {
    places.push_back(state);
    if (kMemory) places.push_back(memory);
  }
  // Of the parameters a gradient is asked for, or a place that nobody reads.
  static float* zeros(float* wanted, float* otherwise, size_t count) {
    float* const to = wanted ? wanted : otherwise;
    std::fill_n(to, count, 0.0f);
    return to;
  }
  size_t weights(size_t columns) const { return Checked(Cell::kGates) * units_ * columns; }

  // body(place in plain order [gates, units, columns], place in stored order [columns, gates, units])
  template <class Body>
  void each_number(uint32_t index, const Body& body) const {
    const size_t columns = index == 0 ? channels_ : index == 1 ? units_ : 1;
    for (size_t g = 0; g < Cell::kGates; ++g)
      for (size_t u = 0; u < units_; ++u)
        for (size_t k = 0; k < columns; ++k)
          body((g * units_ + u) * columns + k, (k * Cell::kGates + Cell::kOrder[g]) * units_ + u);
  }
  void clear_gradients(const LayerCall& call) const {
    const size_t rows = Cell::kGates * units_, counts[] = {rows * channels_, rows * units_, rows, rows};
    for (size_t p = 0; p < 4; ++p)
      if (float* to = call.parameter_gradient(p)) std::fill_n(to, counts[p], 0.0f);
  }

  size_t batch_, steps_, channels_, units_;
  bool all_states_;
  SequenceSteps order_;
  OneDnnWeights input_weight_, recurrent_weight_;  // turned for backward
  std::optional<OneDnnCall> forward_, backward_;
  size_t kept_bytes_ = 0;  // oneDNN's workspace, from forward to backward
  // Units: bytes from the beginning of the workspace.
  uint64_t x_ = 0, states_ = 0, bias_ = 0, weight_[2] = {0, 0}, start_ = 0, dstart_[2] = {0, 0}, dx_ = 0,
           gradient_[2] = {0, 0}, dbias_ = 0, scratch_ = 0;
};

}  // namespace plait::sdk
