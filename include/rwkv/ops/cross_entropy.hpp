#pragma once
#include <vector>

#include <rwkv/backend/backend.hpp>
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/rows.hpp>

namespace rwkv {
namespace detail {

/// loss = log sum e^z - z[target]; with Gradient, z becomes `scale` times its gradient. `l2wrap` is the weight of
/// L2Wrap.
template <class T, dim_t V, bool Gradient>
struct CrossEntropy {
  using Number = compute_of<T>;
  Number scale, l2wrap;
  const std::int32_t* target;
  T* z;
  Number* loss;
  RWKV_HD void operator()(dim_t r) const {
    using Row = rwkv::Row<T, V>;
    T* z_r = z + r * V;
    const Number chosen = load(z_r, target[r]);
    const Number top = Row::max([&](auto c) { return load(z_r, c); });
    if constexpr (!Gradient) {
      const Number total = Row::sum([&](auto c) { return math::exp(load(z_r, c) - top); });
      loss[r] = math::log(total) + (top - chosen);
    } else {
      dim_t first = 0;
      if (l2wrap != Number(0))
        while (first < V - 1 && z_r[first] != top) ++first;
      const Number total = Row::sum([&](auto c) {
        const auto e = math::exp(load(z_r, c) - top);
        store(z_r, c, e);
        return e;
      });
      loss[r] = math::log(total) + (top - chosen);
      const Number share = scale / total;
      Row::each([&](auto c) { store(z_r, c, load(z_r, c) * share); });
      if constexpr (std::is_same_v<T, Number>)
        z_r[target[r]] -= scale;
      else  // from the sum itself: the two may all but cancel, which leaves nothing but the rounding of what is stored
        store(z_r, target[r], math::exp(chosen - top) * share - scale);
      if (l2wrap != Number(0)) store(z_r, first, load(z_r, first) + scale * l2wrap * top);
    }
  }
};

/// Mean of the rows' losses, summed in order in double.
template <class B>
double mean(Tensor<Accum<B>, Batch, Time> losses) {
  std::vector<typename Accum<B>::scalar> host(static_cast<std::size_t>(losses.size()));
  Accum<B>::download(host.data(), losses.data, losses.size());
  double sum = 0;
  for (const auto loss : host) sum += loss;
  return losses.size() > 0 ? sum / double(losses.size()) : 0;
}

}  // namespace detail

/// Weight of L2Wrap in the official trainers: the gradient of weight / 2 * mean(max_v logit^2), which keeps logits
/// small. The reported loss leaves it out.
inline constexpr double official_l2wrap = 1e-4;

/// Mean cross-entropy of the targets, in nats; the logits are left as they are. Targets must lie in [0, V).
template <class B, dim_t V>
double cross_entropy(Scratch<B>& scratch, Tensor<B, Batch, Time, V> logits, TokenIds targets) {
  using T = typename B::scalar;
  const auto frame = scratch.frame();
  const auto losses = scratch.template accum<Shape<Batch, Time>>(logits.seq);
  B::for_each_row(logits.seq.tokens(), detail::CrossEntropy<T, V, false>{0, 0, targets.data, logits.data, losses.data});
  return detail::mean<B>(losses);
}
/// The same, and the logits become the gradient of weight * (mean loss + L2Wrap of strength `l2wrap`).
template <class B, dim_t V>
double cross_entropy_backward(Scratch<B>& scratch, Tensor<B, Batch, Time, V> logits, TokenIds targets,
                              double weight = 1, double l2wrap = 0) {
  using Kernel = detail::CrossEntropy<typename B::scalar, V, true>;
  using Number = typename Kernel::Number;
  const auto frame = scratch.frame();
  const auto losses = scratch.template accum<Shape<Batch, Time>>(logits.seq);
  const Number scale = Number(weight / double(logits.seq.tokens()));
  B::for_each_row(logits.seq.tokens(), Kernel{scale, Number(l2wrap), targets.data, logits.data, losses.data});
  return detail::mean<B>(losses);
}

}  // namespace rwkv

#include <rwkv/ops/gpu/cross_entropy.hpp>
