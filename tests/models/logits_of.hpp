#pragma once
#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <rwkv/models/model.hpp>

namespace test {

/// What the model says after every token, (Batch, Time, Vocabulary), when it reads `piece` tokens at a time.
template <class Net, class B>
auto logits_of(const rwkv::Model<Net, B>& model, const std::vector<std::int32_t>& tokens, rwkv::Seq all,
               rwkv::dim_t piece) {
  using rwkv::dim_t;
  constexpr dim_t vocabulary = rwkv::vocabulary<Net>;
  std::vector<typename B::scalar> logits(tokens.size() * vocabulary);
  auto state = model.fresh_state(all.batch);
  rwkv::Context<B> context;
  for (dim_t first = 0; first < all.time; first += piece) {
    const rwkv::Seq seq{all.batch, std::min(piece, all.time - first)};
    rwkv::Owned<B, typename Net::template Cache<B>> cache(seq);
    std::vector<std::int32_t> ids;
    for (dim_t b = 0; b < all.batch; ++b)
      ids.insert(ids.end(), &tokens[b * all.time + first], &tokens[b * all.time + first] + seq.time);
    const auto some = Net::forward(context, model.params, {ids.data(), seq}, cache.view(), state.view());
    for (dim_t b = 0; b < all.batch; ++b)
      std::copy_n(some.data + b * seq.time * vocabulary, seq.time * vocabulary,
                  &logits[(b * all.time + first) * vocabulary]);
  }
  return logits;
}

/// The largest difference of two lists of numbers.
double distance(const auto& a, const auto& b) {
  double most = a.size() == b.size() ? 0 : 1e30;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    most = std::max(most, std::abs(double(a[i]) - double(b[i])));
  return most;
}

}  // namespace test
