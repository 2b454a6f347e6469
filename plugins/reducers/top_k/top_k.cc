// Keys: the k largest values.
#include <plait/sdk.hpp>
#include <plait/sdk/total_order.hpp>

#include <algorithm>
#include <vector>

using namespace plait::sdk;

namespace {

template <class N>
void emit_largest(size_t k, std::string_view key, Values& values, Emitter& out) {
  const auto above = [](N a, N b) { return is_below(b, a); };
  std::vector<N> heap;  // the smallest of the largest at its front
  while (const auto next = values.next()) {
    const N value = value_as<N>(*next);
    if (heap.size() == k) {
      if (!is_below(heap.front(), value)) continue;
      std::pop_heap(heap.begin(), heap.end(), above);
      heap.pop_back();
    }
    heap.push_back(value);
    std::push_heap(heap.begin(), heap.end(), above);
  }
  std::sort_heap(heap.begin(), heap.end(), above);
  for (const N value : heap) out.emit(key, value);
}

struct TopK {
  int64_t k = 10;

  static void describe(Describe<TopK>& d) {
    d.doc("keys: the k largest values, i64 or f64, from the largest down");
    d.details(
        "Equal values each count. A key that has fewer gives all that it has. Of f64s, -0 is smaller than "
        "+0.");
    d.field("k", &TopK::k).doc("values that are kept of each key").range(1, 1e7).unit("values");
  }

  Value infer(Value in) const {
    if (in == Value::kI64 || in == Value::kF64) return in;
    throw Error("values are ", name_of(in), ", wanted i64 or f64");
  }
  void reduce(Context&, std::string_view key, Values& values, Emitter& out) const {
    const auto most = static_cast<size_t>(k);
    if (values.kind() == Value::kI64) return emit_largest<int64_t>(most, key, values, out);
    emit_largest<double>(most, key, values, out);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.top_k", "1.0.0", "Apache-2.0", reducer<TopK>("plait.top_k"));
