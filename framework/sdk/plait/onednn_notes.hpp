// What oneDNN took for a primitive, in words for KernelNotes: "onednn:brgconv:avx512_core convolution, src
// f32 acdb 64x16x10x10, wei ..., dst ..., then eltwise_relu". Formats are oneDNN's: a letter for each axis
// from the outermost to the innermost, capital where it is cut into blocks, and the blocks. Threads: [any]
#pragma once
#include <dnnl_debug.h>

#include <algorithm>
#include <numeric>

#include <plait/kernel_notes.hpp>
#include <plait/onednn.hpp>

namespace plait::sdk {

inline std::string onednn_format(const dnnl::memory::desc& desc) {
  if (desc.get_format_kind() != dnnl::memory::format_kind::blocked) return "opaque";
  const auto extents = desc.get_dims(), strides = desc.get_strides(), blocks = desc.get_inner_blks(),
             axes = desc.get_inner_idxs();
  std::vector<size_t> order(strides.size());
  std::iota(order.begin(), order.end(), size_t{0});
  // An axis of one element has any stride: it is inside of the others.
  std::ranges::stable_sort(order, [&](size_t a, size_t b) {
    return strides[a] != strides[b] ? strides[a] > strides[b] : extents[a] > extents[b];
  });
  std::string text;
  for (const size_t axis : order) {
    const bool is_cut = std::ranges::count(axes, static_cast<dnnl::memory::dim>(axis)) > 0;
    text += static_cast<char>((is_cut ? 'A' : 'a') + static_cast<char>(axis));
  }
  for (size_t i = 0; i < blocks.size(); ++i)
    text += std::to_string(blocks[i]) + static_cast<char>('a' + static_cast<char>(axes[i]));
  return text;
}

inline std::string onednn_argument(const OneDnnCall::Argument& argument) {
  struct Named {
    int argument;
    const char* name;
  };
  static constexpr Named kNames[] = {{DNNL_ARG_SRC, "src"},           {DNNL_ARG_DST, "dst"},
                                     {DNNL_ARG_WEIGHTS, "wei"},       {DNNL_ARG_DIFF_SRC, "diff_src"},
                                     {DNNL_ARG_DIFF_DST, "diff_dst"}, {DNNL_ARG_DIFF_WEIGHTS, "diff_wei"}};
  for (const Named& known : kNames) {
    if (known.argument != argument.name) continue;
    std::string text = std::string(", ") + known.name + " " +
                       dnnl_dt2str(static_cast<dnnl_data_type_t>(argument.desc.get_data_type())) + " " +
                       onednn_format(argument.desc);
    const char* between = " ";
    for (const auto extent : argument.desc.get_dims())
      text += between + std::to_string(extent), between = "x";
    return text;
  }
  return "";  // biases, statistics, scratchpads: nothing is chosen of them
}

// ", then eltwise_relu" for each function that the primitive applies to what it writes.
inline std::string onednn_post_ops(const_dnnl_primitive_desc_t desc) {
  const_dnnl_primitive_attr_t attributes = nullptr;
  const_dnnl_post_ops_t ops = nullptr;
  check_onednn(dnnl_primitive_desc_get_attr(desc, &attributes), "get_attr");
  check_onednn(dnnl_primitive_attr_get_post_ops(attributes, &ops), "get_post_ops");
  std::string text;
  for (int i = 0; i < dnnl_post_ops_len(ops); ++i) {
    text += std::string(", then ");
    dnnl_alg_kind_t algorithm{};
    float alpha = 0, beta = 0;
    const bool is_elementwise = dnnl_post_ops_get_kind(ops, i) == dnnl_eltwise;
    if (is_elementwise)
      check_onednn(dnnl_post_ops_get_params_eltwise(ops, i, &algorithm, &alpha, &beta), "get_params_eltwise");
    text +=
        is_elementwise ? dnnl_alg_kind2str(algorithm) : dnnl_prim_kind2str(dnnl_post_ops_get_kind(ops, i));
  }
  return text;
}

inline std::string onednn_text(const OneDnnCall& call) {
  const_dnnl_primitive_desc_t desc = nullptr;
  check_onednn(dnnl_primitive_get_primitive_desc(call.primitive().get(), &desc), "get_primitive_desc");
  const char* name = nullptr;
  dnnl_primitive_kind_t kind{};
  check_onednn(dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, static_cast<void*>(&name)),
               "query impl_info_str");
  check_onednn(dnnl_primitive_desc_query(desc, dnnl_query_primitive_kind, 0, &kind), "query primitive_kind");
  std::string text = std::string("onednn:") + name + " " + dnnl_prim_kind2str(kind);
  for (const OneDnnCall::Argument& argument : call.arguments()) text += onednn_argument(argument);
  return text + onednn_post_ops(desc);
}

// Nothing is told of a call that was not made.
inline void note_forward(const KernelNotes& notes, const std::optional<OneDnnCall>& call) {
  if (call) notes.forward(onednn_text(*call));
}
inline void note_backward(const KernelNotes& notes, const std::optional<OneDnnCall>& call) {
  if (call) notes.backward(onednn_text(*call));
}

}  // namespace plait::sdk
