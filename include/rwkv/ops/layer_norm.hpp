#pragma once
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/reduce.hpp>
#include <rwkv/ops/rows.hpp>

namespace rwkv {
namespace detail {

/// Of C channels each, in G groups that lie beside each other and have weights of their own.
template <class T, dim_t C, dim_t G>
struct LayerNormForward {
  using Number = compute_of<T>;
  Number eps;
  const T *x, *weight, *bias;
  T* y;
  Number *mean, *rstd;
  RWKV_HD void operator()(dim_t r) const {
    using Row = rwkv::Row<T, C>;
    const T* x_r = x + r * C;
    const Number mu = Row::sum([&](auto c) { return load(x_r, c); }) / C;
    const Number variance = Row::sum([&](auto c) {
                              const auto d = load(x_r, c) - mu;
                              return d * d;
                            }) /
                            C;
    const Number s = Number(1) / math::sqrt(variance + eps);
    mean[r] = mu, rstd[r] = s;
    const T *weight_r = weight + r % G * C, *bias_r = bias + r % G * C;
    Row::each([&](auto c) { store(y + r * C, c, (load(x_r, c) - mu) * s * load(weight_r, c) + load(bias_r, c)); });
  }
};

/// dx of a block of tokens, and that block's share of dweight and dbias, (blocks, 2, G C).
template <class T, dim_t C, dim_t G>
struct LayerNormBackward {
  using Number = compute_of<T>;
  static constexpr dim_t block = 64;
  dim_t tokens;
  const T *x, *weight;
  const Number *mean, *rstd;
  const T* dy;
  T* dx;
  Number* shares;
  RWKV_HD void operator()(dim_t n) const {
    using Row = rwkv::Row<T, C>;
    Number* const share = shares + n * 2 * G * C;
    rwkv::Row<Number, 2 * G * C>::each([&](auto c) { store(share, c, At<Number, decltype(c)>{}); });
    for (dim_t r = n * block * G, end = (n + 1) * block < tokens ? (n + 1) * block * G : tokens * G; r < end; ++r) {
      const T *x_r = x + r * C, *dy_r = dy + r * C, *weight_r = weight + r % G * C;
      Number *dw = share + r % G * C, *db = dw + G * C;
      const Number mu = mean[r], s = rstd[r];
      const Number along_one = Row::sum([&](auto c) { return load(dy_r, c) * load(weight_r, c); }) / C;
      const Number along_x =
          Row::sum([&](auto c) { return load(dy_r, c) * load(weight_r, c) * (load(x_r, c) - mu); }) * s / C;
      Row::each([&](auto c) {
        const auto g = load(dy_r, c), normed = (load(x_r, c) - mu) * s;
        store(dx + r * C, c, s * (g * load(weight_r, c) - along_one - normed * along_x));
        store(dw, c, load(dw, c) + g * normed);
        store(db, c, load(db, c) + g);
      });
    }
  }
};

}  // namespace detail

/// y = (x - mean) / sqrt(var + eps) * weight + bias over the last axis, var biased (Ba et al. 2016), or over each of G
/// groups of neighbouring channels (GroupNorm, Wu and He 2018). mean and rstd are kept for backward.
template <class B, dim_t C, dim_t G>
void layer_norm_forward(Scratch<B>&, double eps, Tensor<B, C> weight, Tensor<B, C> bias, Tensor<B, Batch, Time, C> x,
                        Tensor<B, Batch, Time, C> y, Tensor<Accum<B>, Batch, Time, G> mean,
                        Tensor<Accum<B>, Batch, Time, G> rstd) {
  static_assert(C % G == 0, "layer_norm: the groups must divide the channels");
  using Kernel = detail::LayerNormForward<typename B::scalar, C / G, G>;
  B::for_each_row(mean.size(), Kernel{static_cast<typename Kernel::Number>(eps), x.data, weight.data, bias.data, y.data,
                                      mean.data, rstd.data});
}
/// dx is written, dweight and dbias are added to. dx may be dy.
template <class B, dim_t C, dim_t G>
void layer_norm_backward(Scratch<B>& scratch, Tensor<B, C> weight, Tensor<B, Batch, Time, C> x,
                         Tensor<Accum<B>, Batch, Time, G> mean, Tensor<Accum<B>, Batch, Time, G> rstd,
                         Tensor<B, Batch, Time, C> dy, Tensor<B, Batch, Time, C> dx, Tensor<Accum<B>, C> dweight,
                         Tensor<Accum<B>, C> dbias) {
  using Kernel = detail::LayerNormBackward<typename B::scalar, C / G, G>;
  const auto frame = scratch.frame();
  const dim_t tokens = dy.seq.tokens(), blocks = (tokens + Kernel::block - 1) / Kernel::block;
  auto* shares = scratch.accum(blocks * 2 * C);
  B::for_each_row(blocks, Kernel{tokens, x.data, weight.data, mean.data, rstd.data, dy.data, dx.data, shares});
  add_rows<B>(blocks, C, 2 * C, shares, dweight.data);
  add_rows<B>(blocks, C, 2 * C, shares + C, dbias.data);
}

}  // namespace rwkv

#include <rwkv/ops/gpu/layer_norm.hpp>
