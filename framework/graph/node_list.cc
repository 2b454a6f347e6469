#include "graph/node_list.h"

#include <algorithm>
#include <utility>

#include "graph/layer_node.h"
#include "graph/loss_node.h"
#include "graph/update_node.h"
#include "plan/layer_order.h"

namespace plait::inline graph {
namespace {

class NodeMaker {
 public:
  NodeMaker(const Plan& plan, ReplicaMemory& memory, const OptimizerInstance* optimizer,
            const NodeSetup& setup, bool updates_apart)
      : plan_(plan),
        memory_(memory),
        optimizer_(optimizer),
        setup_(setup),
        updates_apart_(updates_apart),
        list_(new NodeList),
        into_(&list_->order),
        prepare_(plan.steps().size(), nullptr) {}

  Result<std::unique_ptr<NodeList>> run() {
    for (const Step& step : plan_.steps()) add(new ForwardNode(setup_, plan_, memory_, step));
    for (size_t i = 0; i < plan_.losses().size(); ++i) add(new LossNode(setup_, plan_, memory_, i));
    make_prepare_nodes();
    find_last_users();
    std::vector<size_t> updates;  // steps
    for (size_t step = plan_.steps().size(); step-- > 0;) {
      if (!plan_.steps()[step].backward) continue;
      PLAIT_TRY(add_backward(plan_.steps()[step]));
      if (completed_by_[step].empty() || optimizer_ == nullptr) continue;
      updates.push_back(step);
      if (!optimizer_->needs_all_gradients() && !optimizer_->moves() && !updates_apart_) add_update(step);
    }
    if (optimizer_ != nullptr && optimizer_->moves()) {
      add_second_pass(updates);
    } else if (optimizer_ != nullptr && (optimizer_->needs_all_gradients() || updates_apart_)) {
      if (updates_apart_) into_ = &list_->apart;
      add_updates_at_the_end(updates);
    }
    return std::move(list_);
  }

 private:
  Node* add(Node* node) {
    list_->owned.emplace_back(node);
    into_->push_back(node);
    return node;
  }

  void make_prepare_nodes() {
    for (size_t i = 0; i < plan_.steps().size(); ++i) {
      const Step& step = plan_.steps()[i];
      if (!PLAIT_HAS(&step.instance.ops(), prepare)) continue;
      prepare_[i] = list_->owned.emplace_back(new PrepareNode(setup_, plan_, memory_, step)).get();
      list_->prepare.push_back(prepare_[i]);
    }
  }

  bool trained(int parameter) const { return plan_.parameters()[static_cast<size_t>(parameter)].trained; }

  // Backward runs from the last step to the first: the lowest step that uses a parameter completes its
  // gradient.
  void find_last_users() {
    completed_by_.resize(plan_.steps().size());
    std::vector<bool> seen(plan_.parameters().size());
    for (size_t step = 0; step < plan_.steps().size(); ++step) {
      if (!plan_.steps()[step].backward) continue;
      for (int parameter : plan_.steps()[step].parameters) {
        if (!trained(parameter) || seen[static_cast<size_t>(parameter)]) continue;
        seen[static_cast<size_t>(parameter)] = true;
        completed_by_[step].push_back(parameter);
      }
    }
    written_.assign(plan_.parameters().size(), false);
    updated_.assign(plan_.parameters().size(), false);
  }

  Status add_backward(const Step& step) {
    std::vector<ParameterGradient> gradients;
    for (int parameter : step.parameters) {
      PLAIT_ASSIGN(const ParameterGradient gradient, gradient_of(parameter));
      gradients.push_back(gradient);
    }
    add(new BackwardNode(setup_, plan_, memory_, step, std::move(gradients)));
    return {};
  }

  Result<ParameterGradient> gradient_of(int parameter) {
    ParameterGradient gradient;
    if (!trained(parameter)) return gradient;
    const ParameterPlace& place = plan_.parameters()[static_cast<size_t>(parameter)];
    gradient.place = place.offset;
    gradient.count = place.stored;
    gradient.write = memory_.gradients(place.offset);
    if (!written_[static_cast<size_t>(parameter)]) {
      written_[static_cast<size_t>(parameter)] = true;
      return gradient;
    }
    gradient.add_to = gradient.write;
    PLAIT_ASSIGN(gradient.write, memory_.extra_gradient(place.stored));
    gradient.extra = extra_elements_;
    extra_elements_ += place.stored;
    return gradient;
  }

  UpdateSetup update_setup() const {
    UpdateSetup setup{setup_, optimizer_, &plan_, &memory_};
    if (optimizer_->needs_all_gradients()) setup.observed = &list_->observed;
    if (optimizer_->moves() || updates_apart_) setup.loss = &list_->loss;
    setup.is_second = optimizer_->moves() && into_ != &list_->move;
    return setup;
  }

  // An elementwise optimizer would pay with a wait for what few look at.
  void fetch_loss() {
    const bool is_wanted =
        !updates_apart_ && (!optimizer_->elementwise() || optimizer_->needs_all_gradients());
    if (setup_.stream->device().host_memory() || !is_wanted || std::exchange(fetches_, true)) return;
    add(new FetchLossNode(setup_, memory_));
  }

  void add_update(size_t step) {
    if (!optimizer_->moves()) fetch_loss();
    const LayerSpec& layer = *plan_.network().nodes[static_cast<size_t>(plan_.steps()[step].node)].layer;
    const auto ranges = update_ranges(plan_, completed_by_[step], optimizer_->elementwise());
    add(new UpdateNode(update_setup(), ranges, layer_place(layer), layer.name));
    for (int parameter : completed_by_[step]) updated_[static_cast<size_t>(parameter)] = true;
    add_prepare(completed_by_[step]);
  }

  // Of the layers that read one of `parameters`, all of whose trained parameters are now updated.
  void add_prepare(const std::vector<int>& parameters) {
    for (size_t i = 0; i < plan_.steps().size(); ++i) {
      const std::vector<int>& own = plan_.steps()[i].parameters;
      const bool reads =
          std::ranges::any_of(own, [&](int p) { return std::ranges::count(parameters, p) > 0; });
      if (prepare_[i] == nullptr || !reads) continue;
      const bool complete =
          std::ranges::all_of(own, [&](int p) { return !trained(p) || updated_[static_cast<size_t>(p)]; });
      if (complete) into_->push_back(prepare_[i]);
    }
  }

  std::vector<UpdateRange> all_ranges(const std::vector<size_t>& updates) const {
    std::vector<int> parameters;
    for (size_t step : updates)
      parameters.insert(parameters.end(), completed_by_[step].begin(), completed_by_[step].end());
    return update_ranges(plan_, parameters, false);
  }

  void add_updates_at_the_end(const std::vector<size_t>& updates) {
    if (!optimizer_->moves()) fetch_loss();
    if (optimizer_->needs_all_gradients()) add(new ObserveNode(update_setup(), all_ranges(updates)));
    for (size_t step : updates) add_update(step);
  }

  void add_second_pass(const std::vector<size_t>& updates) {
    into_ = &list_->move;
    if (optimizer_->needs_all_gradients()) add(new ObserveNode(update_setup(), all_ranges(updates)));
    add(new MoveNode(update_setup(), all_ranges(updates)));
    list_->move.insert(list_->move.end(), list_->prepare.begin(), list_->prepare.end());
    into_ = updates_apart_ ? &list_->apart : &list_->second;
    add_updates_at_the_end(updates);
  }

  const Plan& plan_;
  ReplicaMemory& memory_;
  const OptimizerInstance* optimizer_;
  const NodeSetup setup_;
  const bool updates_apart_;
  std::unique_ptr<NodeList> list_;
  std::vector<Node*>* into_;                    // where nodes are added
  bool fetches_ = false;                        // there is a FetchLossNode
  std::vector<Node*> prepare_;                  // per step, or null
  std::vector<std::vector<int>> completed_by_;  // per step: parameters
  std::vector<bool> written_, updated_;         // per parameter
  uint64_t extra_elements_ = 0;
};

}  // namespace

std::vector<Node*> NodeList::all() const {
  std::vector<Node*> nodes = order;
  for (const auto* more : {&move, &second, &apart}) nodes.insert(nodes.end(), more->begin(), more->end());
  return nodes;
}

Result<std::unique_ptr<NodeList>> make_nodes(const Plan& plan, ReplicaMemory& memory,
                                             const OptimizerInstance* optimizer, const NodeSetup& setup,
                                             bool updates_apart) {
  return NodeMaker(plan, memory, optimizer, setup, updates_apart).run();
}

}  // namespace plait::inline graph
