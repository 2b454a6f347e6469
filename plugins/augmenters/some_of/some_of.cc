// A few of many augmenters, drawn for each sample.
#include <plait/sample_chain.hpp>

#include <array>
#include <numeric>

using namespace plait::sdk;

namespace {

constexpr size_t kMost = 256;

struct SomeOf {
  static constexpr bool two_axes = true;  // whether its augmenters take them is asked of these

  std::vector<Child<Augmenter>> augmenter;
  int64_t low = 1, high = 1;
  bool in_order = true;
  double p = 1;

  static void describe(Describe<SomeOf>& d) {
    d.doc("applies some of its augmenters, drawn for each sample");
    d.details(
        "How many is drawn first, then which: all sets of so many are as likely, and none is applied twice.\n"
        "Parts: come out as they go in; no augmenter may change their kinds. An augmenter's own random "
        "numbers do not "
        "depend on\n"
        "which others are applied.");
    d.field("augmenter", &SomeOf::augmenter).doc("to choose from, 256 at most");
    d.field("low", &SomeOf::low).doc("fewest that are applied").range(0, kMost);
    d.field("high", &SomeOf::high).doc("most that are applied").range(1, kMost);
    d.field("in_order", &SomeOf::in_order).doc("in the order in which they stand, else in the order drawn");
    d.field("p", &SomeOf::p).doc("chance that any is applied").range(0, 1);
  }
  void validate() const {
    if (low > high) throw Error("low is ", low, ", above high ", high);
    if (augmenter.size() > kMost)
      throw Error("some_of has ", augmenter.size(), " augmenters, wanted at most ", kMost);
    if (static_cast<size_t>(high) > augmenter.size())
      throw Error("high is ", high, ", and some_of has ", augmenter.size(), " augmenters to choose from");
  }

  void infer(Context& c, Parts& parts) const { want_same_parts(c, augmenter, parts); }
  void open(Context&, const Parts& parts) { chain_.open(parts); }
  uint64_t workspace_bytes(Context& c, int64_t batch) const {
    return batch == 0 ? chain_.bytes() + most_workspace(c, augmenter) : 0;
  }

  void apply(Context& c, SampleCall& call) const {
    Random& random = call.random();
    if (!random.chance(p)) return;
    std::array<uint8_t, kMost> order;
    const auto all = std::span(order).first(augmenter.size());
    std::iota(all.begin(), all.end(), uint8_t{0});
    const auto chosen = all.first(static_cast<size_t>(random.integer(low, high)));
    for (size_t i = 0; i < chosen.size(); ++i)
      std::swap(all[i], all[i + random.integer(static_cast<uint32_t>(all.size() - i))]);
    if (in_order) std::sort(chosen.begin(), chosen.end());
    chain_.run(
        c, call, chosen.size(), [&](size_t i) -> const Child<Augmenter>& { return augmenter[chosen[i]]; },
        [&](size_t i) { return uint64_t{chosen[i]}; });
  }

 private:
  SampleChain chain_;
};

}  // namespace

PLAIT_PLUGIN("plait.some_of", "1.0.0", "Apache-2.0", augmenter<SomeOf>("plait.some_of"));
