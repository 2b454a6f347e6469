// Several augmenters, all or none.
#include <plait/sample_chain.hpp>

using namespace plait::sdk;

namespace {

struct Sequence {
  static constexpr bool two_axes = true;  // whether its augmenters take them is asked of these

  std::vector<Child<Augmenter>> augmenter;
  double p = 1;

  static void describe(Describe<Sequence>& d) {
    d.doc("applies all of its augmenters, one after the other, or none");
    d.details("Parts: come out as they go in; no augmenter may change their kinds.");
    d.field("augmenter", &Sequence::augmenter).doc("applied in this order");
    d.field("p", &Sequence::p).doc("chance that a sample is changed").range(0, 1);
  }
  void validate() const {
    if (augmenter.empty()) throw Error("sequence has no augmenter");
  }

  void infer(Context& c, Parts& parts) const { want_same_parts(c, augmenter, parts); }
  void open(Context&, const Parts& parts) { chain_.open(parts); }
  uint64_t workspace_bytes(Context& c, int64_t batch) const {
    return batch == 0 ? chain_.bytes() + most_workspace(c, augmenter) : 0;
  }

  void apply(Context& c, SampleCall& call) const {
    if (!call.random().chance(p)) return;
    chain_.run(
        c, call, augmenter.size(), [&](size_t i) -> const Child<Augmenter>& { return augmenter[i]; },
        [](size_t i) { return i; });
  }

 private:
  SampleChain chain_;
};

}  // namespace

PLAIT_PLUGIN("plait.sequence", "1.0.0", "Apache-2.0", augmenter<Sequence>("plait.sequence"));
