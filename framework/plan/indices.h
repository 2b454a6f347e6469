// Numbers of things of a plan, each of a type of its own, so that none is taken for another. Outside of the
// compiler they are plain ints, as in Network and Plan.
#pragma once
#include <cstddef>
#include <vector>

namespace plait::inline plan {

template <class Of>
class Index {
 public:
  constexpr Index() = default;  // of nothing
  constexpr explicit Index(int number) : number_(number) {}
  constexpr explicit Index(size_t number) : number_(static_cast<int>(number)) {}
  constexpr int number() const { return number_; }
  constexpr bool is_any() const { return number_ >= 0; }
  constexpr bool operator==(const Index&) const = default;

 private:
  int number_ = -1;
};

using NodeIndex = Index<struct NodeInfo>;
using TensorIndex = Index<struct TensorInfo>;
using ParameterIndex = Index<struct ParameterInfo>;
using StepIndex = Index<struct Step>;
using BlockIndex = Index<struct MemoryBlock>;

// What `all` has at a place that must be of something.
template <class Of, class T>
decltype(auto) at(std::vector<T>& all, Index<Of> index) {
  return all[static_cast<size_t>(index.number())];
}
template <class Of, class T>
decltype(auto) at(const std::vector<T>& all, Index<Of> index) {
  return all[static_cast<size_t>(index.number())];
}

// 0, 1, ... of as many as there are.
template <class I>
std::vector<I> indices(size_t count) {
  std::vector<I> all;
  for (size_t i = 0; i < count; ++i) all.emplace_back(i);
  return all;
}
template <class I>
std::vector<I> indices(const std::vector<int>& numbers) {
  return {numbers.begin(), numbers.end()};
}

}  // namespace plait::inline plan
