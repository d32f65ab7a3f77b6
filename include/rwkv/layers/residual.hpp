#pragma once
#include <rwkv/layers/sequential.hpp>
#include <rwkv/ops/pointwise.hpp>

namespace rwkv {

/// x + L(x), L being one layer or several in sequence. Of a Carry the streams are added; what is carried is as L leaves
/// it, and may begin or end there.
template <class... Ls>
struct Residual {
  using L = Sequential<Ls...>;
  using Stream = stream_of<typename L::In>;
  static_assert(SameShape<stream_of<typename L::Out>, Stream>,
                "Residual: the inner layer must return the shape it takes");
  using composes = detail::Layers<L>;
  static constexpr dim_t flops = L::flops;
  using In = typename L::In;
  using Out = typename L::Out;

  template <class B>
  using Params = typename L::template Params<B>;
  template <class B>
  using State = typename L::template State<B>;
  template <class B>
  struct Cache {
    typename L::template Cache<B> inner;
    TensorOf<B, Stream> y;
    static constexpr void fields(auto&& f, auto&&... c) {
      f(Field{}, c.inner...);
      f(Field{"y"}, c.y...);
    }
  };

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c,
                                  State<Accum<B>>& s) {
    auto y = L::forward(ctx, p, x, c.inner, s);
    add<B>(stream(x), stream(y), c.y);
    return with_stream(y, c.y);
  }
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    L::backward(ctx, p, c.inner, dy, dx, dp, ds);
    add<B>(stream(dx), stream(dy), stream(dx));
  }
};

}  // namespace rwkv
