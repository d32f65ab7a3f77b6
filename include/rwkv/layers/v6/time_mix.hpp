#pragma once
#include <rwkv/layers/child.hpp>
#include <rwkv/layers/gated_head_norm.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/low_rank.hpp>
#include <rwkv/layers/v6/init.hpp>
#include <rwkv/ops/dependent_shift.hpp>
#include <rwkv/ops/token_shift.hpp>
#include <rwkv/ops/wkv6.hpp>

namespace rwkv::v6 {

/// Of the low-rank product that makes the decay.
struct DecayNames {
  static constexpr const char *first = "time_decay_w1", *second = "time_decay_w2", *bias = "time_decay";
};
struct DecayBias {
  static constexpr Init init = time_decay;
  static constexpr float lr_scale = 2;
};

/// RWKV-6's attention (Peng et al. 2024, arXiv 2404.05892): decay, key, value, receptance and gate from lerps of a
/// token with the one before it, whose weights depend on both; a state of Size x Size per head that fades by a decay of
/// its own for every token; its output normalised per head and gated. MixRank and DecayRank are the ranks of what makes
/// the lerps and the decay.
template <dim_t Channels, dim_t HeadSize = 64, dim_t MixRank = 32, dim_t DecayRank = 64,
          wkv6::OverTime How = wkv6::OverTime::automatic,
          template <dim_t, dim_t, const Init&> class Projection = Linear>
struct TimeMix {
  static_assert(HeadSize > 0 && Channels % HeadSize == 0, "v6::TimeMix: the head size must divide the width");
  static_assert(MixRank > 0, "v6::TimeMix: the ranks must be at least 1");
  static constexpr dim_t C = Channels, Size = HeadSize, H = C / Size, R = MixRank;
  static constexpr int mixes_count = 5;  // w, k, v, r, g
  using Stream = Shape<Batch, Time, C>;
  using In = Stream;
  using Out = Stream;
  using Receptance = Projection<C, C, projection>;
  using Key = Projection<C, C, small_projection>;
  using Value = Receptance;
  using Gate = Key;
  using Output = Projection<C, C, init::zeros>;
  using Decay = LowRank<DecayNames, C, DecayRank, C, activation::Tanh, factor, DecayBias>;
  using Norm = GatedHeadNorm<C, H>;
  /// Of wkv, per head: 3 products of a state and a vector.
  static constexpr dim_t flops = Receptance::flops + Key::flops + Value::flops + Gate::flops + Output::flops +
                                 Decay::flops + 4 * mixes_count * R * C + 6 * C * Size;

  template <class B>
  struct Params {
    Tensor<B, 1, 1, C> maa_x, maa_w, maa_k, maa_v, maa_r, maa_g;
    Tensor<B, C, mixes_count * R> maa_w1;
    Tensor<B, mixes_count, R, C> maa_w2;
    typename Decay::template Params<B> decay;
    Tensor<B, H, Size> bonus;
    typename Receptance::template Params<B> receptance;
    typename Key::template Params<B> key;
    typename Value::template Params<B> value;
    typename Gate::template Params<B> gate;
    typename Output::template Params<B> output;
    typename Norm::template Params<B> norm;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{"time_maa_x", time_maa}, p.maa_x...);
      f(Field{"time_maa_w", time_maa}, p.maa_w...);
      f(Field{"time_maa_k", time_maa}, p.maa_k...);
      f(Field{"time_maa_v", time_maa_value}, p.maa_v...);
      f(Field{"time_maa_r", time_maa_gate}, p.maa_r...);
      f(Field{"time_maa_g", time_maa_gate}, p.maa_g...);
      f(Field{"time_maa_w1", init::zeros}, p.maa_w1...);
      f(Field{"time_maa_w2", factor}, p.maa_w2...);
      f(Field{}, p.decay...);
      f(Field{"time_faaaa", time_faaaa}, p.bonus...);
      f(Field{"receptance"}, p.receptance...);
      f(Field{"key"}, p.key...);
      f(Field{"value"}, p.value...);
      f(Field{"gate"}, p.gate...);
      f(Field{"output"}, p.output...);
      f(Field{"ln_x"}, p.norm...);
    }
  };
  template <class B>
  struct Cache {
    static constexpr int borrowed = 6;
    TensorOf<B, Stream> x, w, k, v, r, g;
    Tensor<Accum<B>, Batch, C> start;  // the token before the first
    TensorOf<B, Stream> xx;
    Tensor<B, Batch, Time, mixes_count * R> h;
    Tensor<B, mixes_count, Batch, Time, C> m;
    TensorOf<B, Stream> xw, xk, xv, xr, xg;
    typename Decay::template Cache<B> decay;
    typename Key::template Cache<B> key;
    typename Value::template Cache<B> value;
    typename Receptance::template Cache<B> receptance;
    typename Gate::template Cache<B> gate;
    TensorOf<B, Stream> wkv;
    Tensor<Accum<B>, Batch, Spans, H, Size, Size> starts;  // wkv's state before every span
    typename Norm::template Cache<B> norm;
    typename Output::template Cache<B> output;
    static constexpr void fields(auto&& f, auto&&... c) {
      f(Field{"start"}, c.start...);
      f(Field{"xx"}, c.xx...);
      f(Field{"h"}, c.h...);
      f(Field{"m"}, c.m...);
      f(Field{"xw"}, c.xw...);
      f(Field{"xk"}, c.xk...);
      f(Field{"xv"}, c.xv...);
      f(Field{"xr"}, c.xr...);
      f(Field{"xg"}, c.xg...);
      f(Field{"decay"}, c.decay...);
      f(Field{"key"}, c.key...);
      f(Field{"value"}, c.value...);
      f(Field{"receptance"}, c.receptance...);
      f(Field{"gate"}, c.gate...);
      f(Field{"wkv"}, c.wkv...);
      f(Field{"starts"}, c.starts...);
      f(Field{"norm"}, c.norm...);
      f(Field{"output"}, c.output...);
    }
  };
  template <class B>
  struct State {
    Tensor<B, Batch, C> last;             // the last token this layer saw
    Tensor<B, Batch, H, Size, Size> wkv;  // key by value
    static constexpr void fields(auto&& f, auto&&... s) {
      f(Field{"last"}, s.last...);
      f(Field{"wkv"}, s.wkv...);
    }
  };

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c,
                                  State<Accum<B>>& s) {
    const dim_t tokens = x.seq.tokens();
    c.x = x;
    Accum<B>::copy(c.start.data, s.last.data, s.last.size());
    token_shift_forward<B, MixOf::previous>(ctx.scratch, std::array{p.maa_x}, x, s.last, std::array{c.xx});
    B::matmul(Op::none, Op::none, tokens, mixes_count * R, C, c.xx.data, p.maa_w1.data, c.h.data, 0);
    activation_forward<B, activation::Tanh>(c.h, c.h);
    B::batched_matmul(mixes_count, Op::none, Op::none, tokens, C, R, of_mixes(c.h), factors(p.maa_w2),
                      slices(c.m.data, x), 0);
    dependent_shift_forward<B>(mixes<B>(p), x, c.start, c.m.data, std::array{c.xw, c.xk, c.xv, c.xr, c.xg});
    c.w = forward_child<Decay>(ctx, p.decay, c.xw, c.decay);
    activation_forward<B, activation::NegativeExp>(c.w, c.w);
    c.k = forward_child<Key>(ctx, p.key, c.xk, c.key);
    c.v = forward_child<Value>(ctx, p.value, c.xv, c.value);
    c.r = forward_child<Receptance>(ctx, p.receptance, c.xr, c.receptance);
    c.g = forward_child<Gate>(ctx, p.gate, c.xg, c.gate);
    wkv6_forward<B, H, Size>(ctx.scratch, signals<B>(p, c), c.wkv, s.wkv, c.starts, How);
    const auto out = forward_child<Norm>(ctx, p.norm, {c.wkv, c.g}, c.norm);
    return forward_child<Output>(ctx, p.output, out, c.output);
  }

  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    auto& scratch = ctx.scratch;
    const auto frame = scratch.frame();
    const Seq seq = dy.seq;
    const dim_t tokens = seq.tokens();
    const auto take = [&] { return scratch.template take<Stream>(seq); };
    const auto dw = take(), dk = take(), dv = take(), dr = take(), dg = take();
    {
      const auto inner = scratch.frame();
      const auto dout = take(), dwkv = take();
      backward_child<Output>(ctx, p.output, c.output, dy, dout, dp.output);
      backward_child<Norm>(ctx, p.norm, c.norm, dout, {dwkv, dg}, dp.norm);
      const wkv6::Signals<B, H, Size, TensorOf<B, Stream>, Tensor<Accum<B>, H, Size>> d{dr, dk, dv, dw, dp.bonus};
      wkv6_backward<B, H, Size>(scratch, signals<B>(p, c), c.starts, dwkv, d, ds.wkv, How);
    }
    activation_backward<B, activation::NegativeExp>(c.w, dw, dw);
    const auto dxw = take(), dxk = take(), dxv = take(), dxr = take(), dxg = take();
    backward_child<Decay>(ctx, p.decay, c.decay, dw, dxw, dp.decay);
    backward_child<Key>(ctx, p.key, c.key, dk, dxk, dp.key);
    backward_child<Value>(ctx, p.value, c.value, dv, dxv, dp.value);
    backward_child<Receptance>(ctx, p.receptance, c.receptance, dr, dxr, dp.receptance);
    backward_child<Gate>(ctx, p.gate, c.gate, dg, dxg, dp.gate);

    const std::array dout{dxw, dxk, dxv, dxr, dxg};
    const auto dm = scratch.template take<Shape<mixes_count, Batch, Time, C>>(seq);
    dependent_shift_backward_mixes<B>(scratch, mixes<B>(p), c.x, c.start, c.m.data, dout, dm.data, mixes<Accum<B>>(dp));
    const auto dh = scratch.template take<Shape<Batch, Time, mixes_count * R>>(seq);
    const auto dm_slices = slices(static_cast<const typename B::scalar*>(dm.data), dy);
    if (dp.maa_w2.data)
      B::batched_matmul(mixes_count, Op::transpose, Op::none, R, C, tokens, of_mixes(c.h), dm_slices,
                        Matrices{dp.maa_w2.data, C, R * C}, 1);
    B::batched_matmul(mixes_count, Op::none, Op::transpose, tokens, R, C, dm_slices, factors(p.maa_w2),
                      Matrices{dh.data, mixes_count * R, R}, 0);
    activation_backward<B, activation::Tanh>(c.h, dh, dh);
    if (dp.maa_w1.data)
      B::matmul(Op::transpose, Op::none, C, mixes_count * R, tokens, c.xx.data, dh.data, dp.maa_w1.data, 1);
    const auto dxx = take();
    B::matmul(Op::none, Op::transpose, tokens, C, mixes_count * R, dh.data, p.maa_w1.data, dxx.data, 0);
    token_shift_backward<B, MixOf::previous>(scratch, std::array{p.maa_x}, c.x, c.start, std::array{dxx}, dx,
                                             std::array{dp.maa_x}, ds.last);
    dependent_shift_backward_inputs<B>(mixes<B>(p), c.x, c.start, c.m.data, dout, dx, ds.last);
  }

 private:
  template <class B>
  static auto signals(const Params<B>& p, const Cache<B>& c) {
    return wkv6::Signals<B, H, Size, TensorOf<B, Stream>, Tensor<B, H, Size>>{c.r, c.k, c.v, c.w, p.bonus};
  }
  template <class B>
  static auto mixes(const Params<B>& p) {
    return std::array{p.maa_w, p.maa_k, p.maa_v, p.maa_r, p.maa_g};
  }
  /// The five parts of h, side by side.
  template <class T>
  static Matrices<const T> of_mixes(View<T, Shape<Batch, Time, mixes_count * R>> h) {
    return {h.data, mixes_count * R, R};
  }
  template <class T>
  static Matrices<const T> factors(View<T, Shape<mixes_count, R, C>> w2) {
    return {w2.data, C, R * C};
  }
  /// The five parts of m, one after another.
  template <class T>
  static Matrices<T> slices(T* m, auto like) {
    return {m, C, like.size()};
  }
};

}  // namespace rwkv::v6
