#pragma once
#include <rwkv/rwkv.hpp>

namespace example {
using namespace rwkv;

template <class T, dim_t C>
struct LeakForward {
  Seq seq;
  const T *keep, *x;
  T* y;
  compute_of<T>* state;
  RWKV_HD void operator()(dim_t b, auto c) const {
    auto sum = load(state, b * C + c);
    for (dim_t t = 0; t < seq.time; ++t) {
      sum = load(keep, c) * sum + load(x, (b * seq.time + t) * C + c);
      store(y, (b * seq.time + t) * C + c, sum);
    }
    store(state, b * C + c, sum);
  }
};
template <class T, dim_t C>
struct LeakBackward {
  Seq seq;
  const T* keep;
  const compute_of<T>* start;
  const T *y, *dy;
  T* dx;
  compute_of<T>*dkeep, *dstate;
  RWKV_HD void operator()(dim_t, auto c) const {
    for (dim_t b = 0; b < seq.batch; ++b) {
      auto d = load(dstate, b * C + c);
      for (dim_t t = seq.time; t-- > 0; d = load(keep, c) * d) {
        const auto i = (b * seq.time + t) * C + c;
        d += load(dy, i);
        store(dx, i, d);
        store(dkeep, c, load(dkeep, c) + d * (t > 0 ? load(y, i - C) : load(start, b * C + c)));
      }
      store(dstate, b * C + c, d);
    }
  }
};

/// A layer of one's own with a memory: y_t = keep y_{t-1} + x_t, every channel with its own keep. The memory and what
/// is summed up over tokens are of Accum<B>, in full precision.
template <dim_t C>
struct Leak {
  using In = Shape<Batch, Time, C>;
  using Out = In;
  static constexpr dim_t flops = 2 * C;

  template <class B>
  struct Params {
    Tensor<B, C> keep;
    static constexpr void fields(auto&& f, auto&&... p) { f(Field{"keep", init::constant(0.9f)}, p.keep...); }
  };
  template <class B>
  struct Cache {
    TensorOf<B, Out> y;
    Tensor<Accum<B>, Batch, C> start;
    static constexpr void fields(auto&& f, auto&&... c) { f(Field{"y"}, c.y...), f(Field{"start"}, c.start...); }
  };
  template <class B>
  struct State {
    Tensor<B, Batch, C> sum;
    static constexpr void fields(auto&& f, auto&&... s) { f(Field{"sum"}, s.sum...); }
  };

  template <class B>
  static TensorOf<B, Out> forward(Context<B>&, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c, State<Accum<B>>& s) {
    Accum<B>::copy(c.start.data, s.sum.data, s.sum.size());
    B::for_each(x.seq.batch, C, LeakForward<typename B::scalar, C>{x.seq, p.keep.data, x.data, c.y.data, s.sum.data});
    return c.y;
  }
  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    const auto frame = ctx.scratch.frame();
    const auto dkeep = ctx.scratch.gradient(dp.keep);  // there also where the parameter is not trained
    B::for_each(1, C,
                LeakBackward<typename B::scalar, C>{dy.seq, p.keep.data, c.start.data, c.y.data, dy.data, dx.data,
                                                    dkeep.data, ds.sum.data});
  }
};

}  // namespace example
