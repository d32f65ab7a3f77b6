#pragma once
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/reduce.hpp>
#include <rwkv/ops/rows.hpp>

namespace rwkv {
namespace detail {

template <class T, dim_t C>
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
    Row::each([&](auto c) { store(y + r * C, c, (load(x_r, c) - mu) * s * load(weight, c) + load(bias, c)); });
  }
};

/// dx of a block of rows, and that block's share of dweight and dbias, (blocks, 2, C).
template <class T, dim_t C>
struct LayerNormBackward {
  using Number = compute_of<T>;
  static constexpr dim_t block = 64;
  dim_t rows;
  const T *x, *weight;
  const Number *mean, *rstd;
  const T* dy;
  T* dx;
  Number* shares;
  RWKV_HD void operator()(dim_t n) const {
    using Row = rwkv::Row<T, C>;
    Number *dw = shares + n * 2 * C, *db = dw + C;
    Row::each([&](auto c) {
      const At<Number, decltype(c)> zero{};
      store(dw, c, zero), store(db, c, zero);
    });
    for (dim_t r = n * block, end = r + block < rows ? r + block : rows; r < end; ++r) {
      const T *x_r = x + r * C, *dy_r = dy + r * C;
      const Number mu = mean[r], s = rstd[r];
      const Number along_one = Row::sum([&](auto c) { return load(dy_r, c) * load(weight, c); }) / C;
      const Number along_x =
          Row::sum([&](auto c) { return load(dy_r, c) * load(weight, c) * (load(x_r, c) - mu); }) * s / C;
      Row::each([&](auto c) {
        const auto g = load(dy_r, c), normed = (load(x_r, c) - mu) * s;
        store(dx + r * C, c, s * (g * load(weight, c) - along_one - normed * along_x));
        store(dw, c, load(dw, c) + g * normed);
        store(db, c, load(db, c) + g);
      });
    }
  }
};

}  // namespace detail

/// y = (x - mean) / sqrt(var + eps) * weight + bias over the last axis, var biased (Ba et al. 2016). mean and rstd are
/// kept for backward.
template <class B, dim_t C>
void layer_norm_forward(Scratch<B>&, double eps, Tensor<B, C> weight, Tensor<B, C> bias, Tensor<B, Batch, Time, C> x,
                        Tensor<B, Batch, Time, C> y, Tensor<Accum<B>, Batch, Time> mean,
                        Tensor<Accum<B>, Batch, Time> rstd) {
  using Kernel = detail::LayerNormForward<typename B::scalar, C>;
  B::for_each_row(y.seq.tokens(), Kernel{static_cast<typename Kernel::Number>(eps), x.data, weight.data, bias.data,
                                         y.data, mean.data, rstd.data});
}
/// dx is written, dweight and dbias are added to. dx may be dy.
template <class B, dim_t C>
void layer_norm_backward(Scratch<B>& scratch, Tensor<B, C> weight, Tensor<B, Batch, Time, C> x,
                         Tensor<Accum<B>, Batch, Time> mean, Tensor<Accum<B>, Batch, Time> rstd,
                         Tensor<B, Batch, Time, C> dy, Tensor<B, Batch, Time, C> dx, Tensor<Accum<B>, C> dweight,
                         Tensor<Accum<B>, C> dbias) {
  using Kernel = detail::LayerNormBackward<typename B::scalar, C>;
  const auto frame = scratch.frame();
  const dim_t rows = dy.seq.tokens(), blocks = (rows + Kernel::block - 1) / Kernel::block;
  auto* shares = scratch.accum(blocks * 2 * C);
  B::for_each_row(blocks, Kernel{rows, x.data, weight.data, mean.data, rstd.data, dy.data, dx.data, shares});
  add_rows<B>(blocks, C, 2 * C, shares, dweight.data);
  add_rows<B>(blocks, C, 2 * C, shares + C, dbias.data);
}

}  // namespace rwkv

#include <rwkv/ops/gpu/layer_norm.hpp>
