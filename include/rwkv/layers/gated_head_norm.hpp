#pragma once
#include <rwkv/layers/head_norm.hpp>
#include <rwkv/ops/gated_activation.hpp>

namespace rwkv {

/// A recurrence's output, normalised head by head, times silu(gate): the stream of a Carry and what it carries
/// (versions 5.1 to 6).
template <dim_t C, dim_t H>
struct GatedHeadNorm {
  using Norm = HeadNorm<C, H>;
  using Stream = Shape<Batch, Time, C>;
  using In = Carry<Stream, Stream>;
  using Out = Stream;
  static constexpr dim_t flops = 0;

  template <class B>
  using Params = typename Norm::template Params<B>;
  template <class B>
  struct Cache {
    static constexpr int borrowed = 2;
    TensorOf<B, Stream> normed, gate;
    typename Norm::template Cache<B> norm;
    TensorOf<B, Stream> y;
    static constexpr void fields(auto&& f, auto&&... c) {
      f(Field{"norm"}, c.norm...);
      f(Field{"y"}, c.y...);
    }
  };
  template <class B>
  using State = Empty;

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c, Empty& s) {
    c.gate = x.carried;
    c.normed = Norm::forward(ctx, p, x.stream, c.norm, s);
    gated_activation_forward<B, activation::Silu>(c.gate, c.normed, c.y);
    return c.y;
  }
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, Empty& ds) {
    gated_activation_backward<B, activation::Silu>(c.gate, c.normed, dy, dx.carried, dx.stream);
    Norm::backward(ctx, p, c.norm, dx.stream, dx.stream, dp, ds);
  }
};

}  // namespace rwkv
