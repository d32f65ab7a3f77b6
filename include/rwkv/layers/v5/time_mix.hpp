#pragma once
#include <rwkv/layers/child.hpp>
#include <rwkv/layers/gated_head_norm.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/v5/init.hpp>
#include <rwkv/ops/per_channel.hpp>
#include <rwkv/ops/token_shift.hpp>
#include <rwkv/ops/wkv6.hpp>

namespace rwkv::v5 {

/// The sub-versions: 5.2 has a decay for every channel, 5.1 and 5.0 one for every head; 5.0 has no gate.
enum class Kind { v5_0, v5_1, v5_2 };

/// RWKV-5's attention (Peng et al. 2024, arXiv 2404.05892): key, value, receptance and gate from lerps of a token with
/// the one before it; a state of Size x Size per head that fades by a decay of its own for every key; its output
/// normalised per head and gated.
template <dim_t Channels, dim_t HeadSize = 64, Kind Of = Kind::v5_2, wkv6::OverTime How = wkv6::OverTime::automatic,
          template <dim_t, dim_t, const Init&> class Projection = Linear>
struct TimeMix {
  static_assert(HeadSize > 0 && Channels % HeadSize == 0, "v5::TimeMix: the head size must divide the width");
  static constexpr dim_t C = Channels, Size = HeadSize, H = C / Size;
  static constexpr bool gated = Of != Kind::v5_0, per_channel = Of == Kind::v5_2;
  using Stream = Shape<Batch, Time, C>;
  using In = Stream;
  using Out = Stream;
  using PerHead = std::conditional_t<per_channel, Shape<H, Size>, Shape<H>>;
  /// The bonus from its parameter, whose logarithm 5.0 keeps.
  using BonusFrom = std::conditional_t<gated, activation::Identity, activation::Exp>;
  using Receptance = Projection<C, C, projection>;
  using Key = Projection<C, C, small_projection>;
  using Value = Receptance;
  using Gate = std::conditional_t<gated, Key, NoChild>;
  using Output = Projection<C, C, init::zeros>;
  using Norm = std::conditional_t<gated, GatedHeadNorm<C, H>, HeadNorm<C, H>>;
  /// Of wkv, per head: 3 products of a state and a vector.
  static constexpr dim_t flops =
      Receptance::flops + Key::flops + Value::flops + Gate::flops + Output::flops + 6 * C * Size;

  /// Of the gate's lerp.
  template <class B>
  struct GateMix {
    Tensor<B, 1, 1, C> weight;
    static constexpr void fields(auto&& f, auto&&... p) { f(Field{"time_mix_g", time_mix_gate}, p.weight...); }
  };
  template <class B>
  struct Params {
    TensorOf<B, PerHead> time_decay, bonus;
    Tensor<B, 1, 1, C> mix_k, mix_v, mix_r;
    std::conditional_t<gated, GateMix<B>, Empty> mix_g;
    typename Receptance::template Params<B> receptance;
    typename Key::template Params<B> key;
    typename Value::template Params<B> value;
    typename Gate::template Params<B> gate;
    typename Output::template Params<B> output;
    typename Norm::template Params<B> norm;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{.name = "time_decay", .init = v5::time_decay, .lr_scale = 2}, p.time_decay...);
      f(gated ? Field{.name = "time_faaaa", .init = per_channel ? time_faaaa : bonus_of_head}
              : Field{.name = "time_first", .init = time_first, .lr_scale = 3},
        p.bonus...);
      f(Field{"time_mix_k", time_mix}, p.mix_k...);
      f(Field{"time_mix_v", time_mix_value}, p.mix_v...);
      f(Field{"time_mix_r", time_mix_gate}, p.mix_r...);
      f(Field{}, p.mix_g...);
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
    static constexpr int borrowed = 5;
    TensorOf<B, Stream> x, k, v, r, g;
    Tensor<Accum<B>, Batch, C> start;  // the token before the first
    TensorOf<B, Stream> xk, xv, xr;
    Tensor<B, Batch, Time, gated ? C : 0> xg;
    typename Key::template Cache<B> key;
    typename Value::template Cache<B> value;
    typename Receptance::template Cache<B> receptance;
    typename Gate::template Cache<B> gate;
    Tensor<Accum<B>, C> log_decay, u;
    TensorOf<B, Stream> wkv;
    Tensor<Accum<B>, Batch, Spans, H, Size, Size> starts;  // wkv's state before every span
    typename Norm::template Cache<B> norm;
    typename Output::template Cache<B> output;
    static constexpr void fields(auto&& f, auto&&... c) {
      f(Field{"start"}, c.start...);
      f(Field{"xk"}, c.xk...);
      f(Field{"xv"}, c.xv...);
      f(Field{"xr"}, c.xr...);
      f(Field{"xg"}, c.xg...);
      f(Field{"key"}, c.key...);
      f(Field{"value"}, c.value...);
      f(Field{"receptance"}, c.receptance...);
      f(Field{"gate"}, c.gate...);
      f(Field{"log_decay"}, c.log_decay...);
      f(Field{"u"}, c.u...);
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
    c.x = x;
    Accum<B>::copy(c.start.data, s.last.data, s.last.size());
    token_shift_forward<B>(ctx.scratch, mixes<B>(p), x, s.last, lerps(c.xk, c.xv, c.xr, c.xg));
    c.k = forward_child<Key>(ctx, p.key, c.xk, c.key);
    c.v = forward_child<Value>(ctx, p.value, c.xv, c.value);
    c.r = forward_child<Receptance>(ctx, p.receptance, c.xr, c.receptance);
    per_channel_forward<B, activation::NegativeExp>(p.time_decay, c.log_decay);
    per_channel_forward<B, BonusFrom>(p.bonus, c.u);
    wkv6_forward<B, H, Size>(ctx.scratch, signals<B>(c), c.wkv, s.wkv, c.starts, How);
    if constexpr (gated) {
      c.g = forward_child<Gate>(ctx, p.gate, c.xg, c.gate);
      const auto out = forward_child<Norm>(ctx, p.norm, {c.wkv, c.g}, c.norm);
      return forward_child<Output>(ctx, p.output, out, c.output);
    } else {
      return forward_child<Output>(ctx, p.output, forward_child<Norm>(ctx, p.norm, c.wkv, c.norm), c.output);
    }
  }

  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    auto& scratch = ctx.scratch;
    const auto frame = scratch.frame();
    const auto take = [&] { return scratch.template take<Stream>(dy.seq); };
    const auto dk = take(), dv = take(), dr = take(), dxg = take();
    {
      const auto inner = scratch.frame();
      const auto dout = take(), dwkv = take();
      backward_child<Output>(ctx, p.output, c.output, dy, dout, dp.output);
      if constexpr (gated) {
        const auto dg = take();
        backward_child<Norm>(ctx, p.norm, c.norm, dout, {dwkv, dg}, dp.norm);
        backward_child<Gate>(ctx, p.gate, c.gate, dg, dxg, dp.gate);
      } else {
        backward_child<Norm>(ctx, p.norm, c.norm, dout, dwkv, dp.norm);
      }
      const auto dlog_decay = scratch.template accum<Shape<C>>({}), du = scratch.template accum<Shape<C>>({});
      Accum<B>::fill(dlog_decay.data, C, 0), Accum<B>::fill(du.data, C, 0);
      const wkv6::Signals<B, H, Size, Tensor<Accum<B>, C>, Tensor<Accum<B>, C>> d{dr, dk, dv, dlog_decay, du};
      wkv6_backward<B, H, Size>(scratch, signals<B>(c), c.starts, dwkv, d, ds.wkv, How);
      per_channel_backward<B, activation::NegativeExp>(c.log_decay, dlog_decay, dp.time_decay);
      per_channel_backward<B, BonusFrom>(c.u, du, dp.bonus);
    }
    const auto dxk = take(), dxv = take(), dxr = take();
    backward_child<Key>(ctx, p.key, c.key, dk, dxk, dp.key);
    backward_child<Value>(ctx, p.value, c.value, dv, dxv, dp.value);
    backward_child<Receptance>(ctx, p.receptance, c.receptance, dr, dxr, dp.receptance);
    token_shift_backward<B>(scratch, mixes<B>(p), c.x, c.start, lerps(dxk, dxv, dxr, dxg), dx, mixes<Accum<B>>(dp),
                            ds.last);
  }

 private:
  template <class B>
  static auto mixes(const Params<B>& p) {
    if constexpr (gated)
      return std::array{p.mix_k, p.mix_v, p.mix_r, p.mix_g.weight};
    else
      return std::array{p.mix_k, p.mix_v, p.mix_r};
  }
  static auto lerps(const auto& k, const auto& v, const auto& r, const auto& g) {
    if constexpr (gated)
      return std::array{k, v, r, g};
    else
      return std::array{k, v, r};
  }
  template <class B>
  static auto signals(const Cache<B>& c) {
    return wkv6::Signals<B, H, Size, Tensor<Accum<B>, C>, Tensor<Accum<B>, C>>{c.r, c.k, c.v, c.log_decay, c.u};
  }
};

}  // namespace rwkv::v5
