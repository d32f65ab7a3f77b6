#pragma once
#include <rwkv/io/load.hpp>

#include "run.hpp"

namespace reference {

template <class Net>
Run run(const rwkv::TensorSource& source, std::vector<std::int32_t> tokens) {
  using namespace rwkv;
  using B = Cpu<float>;
  Model<Net, B> model;
  load(model, source);
  const Seq seq{1, dim_t(tokens.size())};
  auto state = model.fresh_state();
  Context<B> context;
  Owned<B, typename Net::template Cache<B>> cache(seq);
  const auto logits = Net::forward(context, model.params, {tokens.data(), seq}, cache.view(), state.view());
  Run result{{logits.data, logits.data + logits.size()}, {}};
  for (const Leaf& leaf : state.leaves())
    result.state[leaf.name] = {state.data() + leaf.offset, state.data() + leaf.offset + leaf.size};
  return result;
}
/// One static object makes a net known.
template <class Net>
struct Runs {
  explicit Runs(const char* type) { runners()[type] = &run<Net>; }
};

}  // namespace reference
