#pragma once
#include <string>
#include <vector>

#include <rwkv/core/owned.hpp>

namespace rwkv::testing {

/// The numbers of a bundle, as it holds them in memory, zeros between its tensors included. A double holds what a
/// float or a bf16 does.
struct BundleNumbers {
  std::vector<double> values;
  std::vector<Leaf> leaves;

  /// f(number) becomes every number of a tensor; the zeros between them stay.
  template <class F>
  void change(F&& f) {
    for (const Leaf& leaf : leaves)
      for (dim_t i = leaf.offset; i < leaf.offset + leaf.size; ++i)
        values[static_cast<std::size_t>(i)] = f(values[static_cast<std::size_t>(i)]);
  }
  BundleNumbers zeros() const { return {std::vector<double>(values.size()), leaves}; }
  /// What number i is called.
  std::string place(std::size_t i) const {
    const auto at = static_cast<dim_t>(i);
    for (const Leaf& leaf : leaves)
      if (leaf.offset <= at && at < leaf.offset + leaf.size)
        return (leaf.name.empty() ? "tensor" : leaf.name) + "[" + index(leaf.shape, at - leaf.offset) + "]";
    return "padding";
  }

 private:
  /// Where number i of a tensor stands: "1, 2" in a row-major (2, 3) for the last.
  static std::string index(const std::vector<dim_t>& shape, dim_t i) {
    std::string text;
    for (auto extent = shape.rbegin(); extent != shape.rend(); i /= *extent++) {
      if (!text.empty()) text.insert(0, ", ");
      text.insert(0, std::to_string(i % *extent));
    }
    return text;
  }
};

/// The numbers of a signal, one tensor (batch, time, channels) after the other. Token numbers are a tensor of one
/// channel.
struct SignalNumbers {
  Seq seq;
  std::vector<dim_t> channels;  ///< of each tensor
  std::vector<double> values = std::vector<double>(static_cast<std::size_t>(per_token() * seq.tokens()));
  dim_t first = 0;  ///< which token of the whole is the first here

  dim_t per_token() const {
    dim_t sum = 0;
    for (const dim_t n : channels) sum += n;
    return sum;
  }
  /// Tokens [from, from + count) of every sequence.
  SignalNumbers part(dim_t from, dim_t count) const {
    SignalNumbers out{{seq.batch, count}, channels, {}, first + from};
    auto tensor = values.begin();
    for (const dim_t n : channels)
      for (dim_t b = 0; b < seq.batch; ++b, tensor += seq.time * n)
        out.values.insert(out.values.end(), tensor + from * n, tensor + (from + count) * n);
    return out;
  }
  std::string place(std::size_t i) const {
    auto at = static_cast<dim_t>(i);
    std::size_t tensor = 0;
    while (at >= seq.tokens() * channels[tensor]) at -= seq.tokens() * channels[tensor++];
    const dim_t token = at / channels[tensor];
    return (channels.size() > 1 ? "tensor " + std::to_string(tensor) + ", " : "") + "sequence " +
           std::to_string(token / seq.time) + ", token " + std::to_string(first + token % seq.time) + ", channel " +
           std::to_string(at % channels[tensor]);
  }
};

}  // namespace rwkv::testing
