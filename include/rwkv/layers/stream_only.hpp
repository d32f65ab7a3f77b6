#pragma once
#include <rwkv/layers/sequential.hpp>
#include <rwkv/ops/copy.hpp>

namespace rwkv {

/// Ls, one after another, on the stream of a Carry; what is carried passes by unchanged.
template <class Carried, class... Ls>
struct StreamOnly {
  using L = Sequential<Ls...>;
  using composes = detail::Layers<L>;
  static constexpr dim_t flops = L::flops;
  using In = Carry<typename L::In, Carried>;
  using Out = Carry<typename L::Out, Carried>;

  template <class B>
  using Params = typename L::template Params<B>;
  template <class B>
  using Cache = typename L::template Cache<B>;
  template <class B>
  using State = typename L::template State<B>;

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c,
                                  State<Accum<B>>& s) {
    return {L::forward(ctx, p, x.stream, c, s), x.carried};
  }
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    L::backward(ctx, p, c, dy.stream, dx.stream, dp, ds);
    copy<B>(dy.carried, dx.carried);
  }
};

/// The stream of a Carry; what was carried ends here.
template <class Stream, class Carried>
struct Release {
  static constexpr dim_t flops = 0;
  using In = Carry<Stream, Carried>;
  using Out = Stream;

  template <class B>
  using Params = Empty;
  template <class B>
  using Cache = Empty;
  template <class B>
  using State = Empty;

  template <class B>
  static TensorOf<B, Out> forward(Context<B>&, const Empty&, TensorOf<B, In> x, Empty&, Empty&) {
    return x.stream;
  }
  template <class B>
  static void backward(Context<B>&, const Empty&, const Empty&, TensorOf<B, Out> dy, TensorOf<B, In> dx, Empty&,
                       Empty&) {
    copy<B>(dy, dx.stream);
    fill<B>(dx.carried, 0);
  }
};

}  // namespace rwkv
