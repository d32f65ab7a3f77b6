#pragma once
#include <rwkv/io/summary_table.hpp>
#include <rwkv/models/model.hpp>

namespace rwkv {

namespace detail {

/// What a run holds, in bytes but for the counts.
struct SummarySizes {
  dim_t parameter_count = 0, state_count = 0;
  dim_t parameters = 0, master = 0, gradients = 0, activations = 0, state = 0, state_per_sequence = 0;
  dim_t full_scalar = 0;  ///< of a gradient
  bool reduced = false;   ///< parameters are stored in reduced precision
};
inline std::string totals(const SummarySizes& n, Seq seq) {
  std::string text = "parameters          " + std::to_string(n.parameter_count) + "\nstate per sequence  " +
                     std::to_string(n.state_count) + " scalars, " + std::to_string(n.state_per_sequence) +
                     " bytes\n\nmemory in MB for batch " + std::to_string(seq.batch) + ", time " +
                     std::to_string(seq.time) + "\n";
  const auto megabytes = [&](const char* name, dim_t bytes) {
    std::string row = fixed_text(double(bytes) * 1e-6, 3);
    row.insert(0, row.size() < 12 ? 12 - row.size() : 0, ' ');
    std::string words = std::string("  ") + name;
    words.resize(18, ' ');
    text += words + row + "\n";
  };
  megabytes("parameters", n.parameters);
  if (n.master > 0) megabytes("master copy", n.master);
  megabytes("gradients", n.gradients);
  megabytes("moments", 2 * n.gradients);
  megabytes("activations", n.activations);
  megabytes("state", n.state);
  megabytes("total", n.parameters + n.master + 3 * n.gradients + n.activations + n.state);
  return text;
}

/// What does not depend on the parameters.
template <class Net, class B>
SummarySizes summary_sizes(Seq seq) {
  using State = typename Net::template State<Accum<B>>;
  expect_sizes(seq, 0);
  if (bytes<typename Net::template Cache<B>>(seq) >= uncountable || bytes<State>(seq) >= uncountable)
    refuse_as_uncountable(seq);
  return {.state_count = elements<State>(),
          .activations = bytes<typename Net::template Cache<B>>(seq),
          .state = bytes<State>(seq),
          .state_per_sequence = bytes<State>(),
          .full_scalar = sizeof(typename Accum<B>::scalar),
          .reduced = ReducedPrecision<B>};
}
inline std::string summary_of(std::span<const Leaf> leaves, SummarySizes n, Seq seq) {
  for (const Leaf& leaf : leaves) {
    n.parameter_count += leaf.size;
    n.parameters += leaf.bytes();
    if (leaf.trained) n.gradients += leaf.size * n.full_scalar;
  }
  if (n.reduced) n.master = n.parameter_count * n.full_scalar;
  return table(summary_rows(leaves)) + "\n" + totals(n, seq);
}

}  // namespace detail

/// A table of Net's parameters (name, shape, scalars, how they are stored and how they start, whether they decay, the
/// multiple of the learning rate) and what it holds on machine B while it trains with Adam on `seq`; nothing is
/// allocated. Error for sizes below 0 or beyond what can be counted. The blocks of a stack share a row and their
/// scalars are added up. A megabyte is 10^6 bytes; scratch memory comes on top.
template <class Net, class B = Cpu<float>>
std::string summary(Seq seq = {}) {
  return detail::summary_of(list_leaves<B, typename Net::template Params<B>>(), detail::summary_sizes<Net, B>(seq),
                            seq);
}
template <class Net, Backend B>
std::string summary(const Model<Net, B>& model, Seq seq = {}) {
  return detail::summary_of(model.params.leaves(), detail::summary_sizes<Net, B>(seq), seq);
}

}  // namespace rwkv
