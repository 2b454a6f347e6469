// Several augmenters, in an order that is drawn for each sample.
#include <plait/sample_chain.hpp>

#include <array>
#include <numeric>

using namespace plait::sdk;

namespace {

constexpr size_t kMost = 256;

struct RandomOrder {
  static constexpr bool two_axes = true;  // whether its augmenters take them is asked of these

  std::vector<Child<Augmenter>> augmenter;
  double p = 1;

  static void describe(Describe<RandomOrder>& d) {
    d.doc("applies all of its augmenters in an order drawn for each sample, or none");
    d.details(
        "Parts: come out as they go in; no augmenter may change their kinds. All orders are as likely; an "
        "augmenter's own\n"
        "random numbers do not depend on when it comes.");
    d.field("augmenter", &RandomOrder::augmenter).doc("applied, 256 at most");
    d.field("p", &RandomOrder::p).doc("chance that a sample is changed").range(0, 1);
  }
  void validate() const {
    if (augmenter.empty()) throw Error("random_order has no augmenter");
    if (augmenter.size() > kMost)
      throw Error("random_order has ", augmenter.size(), " augmenters, wanted at most ", kMost);
  }

  void infer(Context& c, Parts& parts) const { want_same_parts(c, augmenter, parts); }
  void open(Context&, const Parts& parts) { chain_.open(parts); }
  uint64_t workspace_bytes(Context& c, int64_t batch) const {
    return batch == 0 ? chain_.bytes() + most_workspace(c, augmenter) : 0;
  }

  void apply(Context& c, SampleCall& call) const {
    if (!call.random().chance(p)) return;
    std::array<uint8_t, kMost> order;
    const auto used = std::span(order).first(augmenter.size());
    std::iota(used.begin(), used.end(), uint8_t{0});
    call.random().shuffle(used);
    chain_.run(
        c, call, used.size(), [&](size_t i) -> const Child<Augmenter>& { return augmenter[used[i]]; },
        [&](size_t i) { return uint64_t{used[i]}; });
  }

 private:
  SampleChain chain_;
};

}  // namespace

PLAIT_PLUGIN("plait.random_order", "1.0.0", "Apache-2.0", augmenter<RandomOrder>("plait.random_order"));
