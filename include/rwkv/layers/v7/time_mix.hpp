#pragma once
#include <rwkv/layers/child.hpp>
#include <rwkv/layers/head_norm.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/low_rank.hpp>
#include <rwkv/layers/v7/init.hpp>
#include <rwkv/layers/v7/rank.hpp>
#include <rwkv/ops/copy.hpp>
#include <rwkv/ops/token_shift.hpp>
#include <rwkv/ops/wkv7.hpp>
#include <rwkv/ops/wkv7/operands.hpp>
#include <rwkv/ops/wkv7/output.hpp>

namespace rwkv::v7 {

/// Widths of RWKV-7's time mix: C channels in heads of Size, and the ranks of what makes the decay w, the in-context
/// learning rate a, the share v of the first block's values, and the gate g; by default those of the official trainer.
template <dim_t Channels, dim_t HeadSize = 64, dim_t W = rank(2.5, Channels), dim_t A = rank(2.5, Channels),
          dim_t V = rank(1.7, Channels), dim_t G = rank(5, Channels)>
struct Widths {
  static_assert(HeadSize > 0 && Channels % HeadSize == 0, "v7: the head size must divide the width");
  static constexpr dim_t C = Channels, Size = HeadSize, w = W, a = A, v = V, g = G;
  static constexpr dim_t H = C / Size;
};

/// RWKV-7's attention (Peng et al. 2025, arXiv 2503.14456): r, w, k, v, a and g from lerps of a token with the one
/// before it; a state of Size x Size per head that WKV-7 changes by the generalised delta rule; its output normalised
/// per head, with a bonus for the token at hand, and gated. The values of the first block, which has First, are carried
/// to all others, which take a share of them.
template <class Sizes, bool First, wkv7::OverTime How = wkv7::OverTime::automatic,
          template <dim_t, dim_t, const Init&> class Projection = Linear>
struct TimeMix {
  static constexpr dim_t C = Sizes::C, Size = Sizes::Size, H = Sizes::H;
  using Stream = Shape<Batch, Time, C>;
  using In = std::conditional_t<First, Stream, Carry<Stream, Stream>>;
  using Out = Carry<Stream, Stream>;
  using Receptance = Projection<C, C, projection>;
  using Key = Projection<C, C, key_projection>;
  using Value = Receptance;
  using Output = Projection<C, C, init::zeros>;
  using Norm = HeadNorm<C, H>;
  using Decay = LowRank<Numbered<'w'>, C, Sizes::w, C, activation::Tanh, factor, v7::Decay<Size>>;
  using Rate = LowRank<Numbered<'a'>, C, Sizes::a, C, activation::Identity, factor, v7::Rate<Size>>;
  using Gate = LowRank<Numbered<'g'>, C, Sizes::g, C, activation::Sigmoid, factor>;
  using ValueShare =
      std::conditional_t<First, NoChild,
                         LowRank<Numbered<'v'>, C, Sizes::v, C, activation::Identity, factor, v7::ValueShare>>;
  /// Of wkv, per head: 5 products of a state and a vector.
  static constexpr dim_t flops = Receptance::flops + Key::flops + Value::flops + Output::flops + Decay::flops +
                                 Rate::flops + Gate::flops + ValueShare::flops + 10 * C * Size;

  template <class B>
  struct Params {
    Tensor<B, 1, 1, C> x_r, x_w, x_k, x_v, x_a, x_g, k_k, k_a;
    Tensor<B, H, Size> r_k;
    typename Decay::template Params<B> w;
    typename Rate::template Params<B> a;
    typename ValueShare::template Params<B> v;
    typename Gate::template Params<B> g;
    typename Receptance::template Params<B> receptance;
    typename Key::template Params<B> key;
    typename Value::template Params<B> value;
    typename Output::template Params<B> output;
    typename Norm::template Params<B> norm;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{"x_r", slow_mix}, p.x_r...);
      f(Field{"x_w", rate_mix}, p.x_w...);
      f(Field{"x_k", key_mix}, p.x_k...);
      f(Field{"x_v", key_mix}, p.x_v...);
      f(Field{"x_a", rate_mix}, p.x_a...);
      f(Field{"x_g", slow_mix}, p.x_g...);
      f(Field{"k_k", v7::k_k}, p.k_k...);
      f(Field{"k_a", v7::k_a}, p.k_a...);
      f(Field{"r_k", v7::r_k}, p.r_k...);
      f(Field{}, p.w...);
      f(Field{}, p.a...);
      f(Field{}, p.v...);
      f(Field{}, p.g...);
      f(Field{"receptance"}, p.receptance...);
      f(Field{"key"}, p.key...);
      f(Field{"value"}, p.value...);
      f(Field{"output"}, p.output...);
      f(Field{"ln_x"}, p.norm...);
    }
  };
  template <class B>
  struct Cache {
    static constexpr int borrowed = 10;
    TensorOf<B, Stream> x, v_first, r, k_raw, v_raw, w, rate, v_share, gate, normed;
    Tensor<Accum<B>, Batch, C> start;  // the token before the first
    TensorOf<B, Stream> xr, xw, xk, xv, xa, xg;
    typename Receptance::template Cache<B> receptance;
    typename Key::template Cache<B> key;
    typename Value::template Cache<B> value;
    typename Decay::template Cache<B> decay_logit;
    typename Rate::template Cache<B> rate_logit;
    typename ValueShare::template Cache<B> share_logit;
    typename Gate::template Cache<B> gate_made;
    TensorOf<B, Stream> k, a, b;
    Tensor<B, Batch, Time, First ? 0 : C> v;               // of the first block that is v_raw
    Tensor<Accum<B>, Batch, Spans, H, Size, Size> starts;  // wkv's state before every span
    TensorOf<Accum<B>, Stream> recalled;                   // what wkv's state held under a
    TensorOf<B, Stream> wkv, gated;
    typename Norm::template Cache<B> norm;
    typename Output::template Cache<B> output;
    static constexpr void fields(auto&& f, auto&&... c) {
      f(Field{"start"}, c.start...);
      f(Field{"xr"}, c.xr...);
      f(Field{"xw"}, c.xw...);
      f(Field{"xk"}, c.xk...);
      f(Field{"xv"}, c.xv...);
      f(Field{"xa"}, c.xa...);
      f(Field{"xg"}, c.xg...);
      f(Field{"receptance"}, c.receptance...);
      f(Field{"key"}, c.key...);
      f(Field{"value"}, c.value...);
      f(Field{"decay"}, c.decay_logit...);
      f(Field{"rate"}, c.rate_logit...);
      f(Field{"share"}, c.share_logit...);
      f(Field{"gate"}, c.gate_made...);
      f(Field{"k"}, c.k...);
      f(Field{"a"}, c.a...);
      f(Field{"b"}, c.b...);
      f(Field{"v"}, c.v...);
      f(Field{"starts"}, c.starts...);
      f(Field{"recalled"}, c.recalled...);
      f(Field{"wkv"}, c.wkv...);
      f(Field{"gated"}, c.gated...);
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
    c.x = stream(x);
    Accum<B>::copy(c.start.data, s.last.data, s.last.size());
    token_shift_forward<B, MixOf::previous>(ctx.scratch, mixes<B>(p), c.x, s.last,
                                            std::array{c.xr, c.xw, c.xk, c.xv, c.xa, c.xg});
    c.r = forward_child<Receptance>(ctx, p.receptance, c.xr, c.receptance);
    c.k_raw = forward_child<Key>(ctx, p.key, c.xk, c.key);
    c.v_raw = forward_child<Value>(ctx, p.value, c.xv, c.value);
    c.w = forward_child<Decay>(ctx, p.w, c.xw, c.decay_logit);
    c.rate = forward_child<Rate>(ctx, p.a, c.xa, c.rate_logit);
    c.gate = forward_child<Gate>(ctx, p.g, c.xg, c.gate_made);
    if constexpr (!First) {
      c.v_first = x.carried;
      c.v_share = forward_child<ValueShare>(ctx, p.v, c.xv, c.share_logit);
    }
    wkv7_operands_forward<B, H, First>(p.k_k, p.k_a, operands<B>(c));
    wkv7_forward<B, H, Size>(ctx.scratch, signals<B>(c), c.wkv, s.wkv, {c.starts, c.recalled}, How);
    c.normed = forward_child<Norm>(ctx, p.norm, c.wkv, c.norm);
    wkv7_output_forward<B>(p.r_k, c.r, c.k, v(c), c.normed, c.gate, c.gated);
    const auto y = forward_child<Output>(ctx, p.output, c.gated, c.output);
    if constexpr (First)
      return {y, c.v_raw};
    else
      return {y, x.carried};
  }

  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    auto& scratch = ctx.scratch;
    const auto frame = scratch.frame();
    const Seq seq = c.x.seq;
    const auto take = [&] { return scratch.template take<Stream>(seq); };
    const auto dr = take(), dw = take(), dk = take(), dv = take(), da = take(), db = take(), dxg = take();
    {
      const auto inner = scratch.frame();
      const auto dnormed = take(), dgate = take(), dwkv = take();
      backward_child<Output>(ctx, p.output, c.output, dy.stream, dnormed, dp.output);
      wkv7_output_backward<B>(p.r_k, c.r, c.k, v(c), c.normed, c.gate, dnormed, dnormed, dgate);
      backward_child<Gate>(ctx, p.g, c.gate_made, dgate, dxg, dp.g);
      backward_child<Norm>(ctx, p.norm, c.norm, dnormed, dwkv, dp.norm);
      wkv7_backward<B, H, Size>(scratch, signals<B>(c), {c.starts, c.recalled}, dwkv, {dr, dw, dk, dv, da, db}, ds.wkv,
                                How);
      wkv7_bonus_backward<B>(scratch, p.r_k, c.r, c.k, v(c), dnormed, dr, dk, dv, dp.r_k);
    }
    wkv7::OperandGradients<B, C> gradients{dw, dk, dv, da, db, {}};
    if constexpr (First) {
      add<B>(dv, dy.carried, dv);
    } else {
      copy<B>(dy.carried, dx.carried);
      gradients.dv_first = dx.carried;
    }
    wkv7_operands_backward<B, H, First>(scratch, p.k_k, p.k_a, operands<B>(c), gradients, dp.k_k, dp.k_a);
    const auto dxr = take(), dxw = take(), dxk = take(), dxv = take(), dxa = take();
    backward_child<Receptance>(ctx, p.receptance, c.receptance, dr, dxr, dp.receptance);
    backward_child<Decay>(ctx, p.w, c.decay_logit, dw, dxw, dp.w);
    backward_child<Key>(ctx, p.key, c.key, dk, dxk, dp.key);
    backward_child<Value>(ctx, p.value, c.value, dv, dxv, dp.value);
    backward_child<Rate>(ctx, p.a, c.rate_logit, da, dxa, dp.a);
    if constexpr (!First) backward_child_add<ValueShare>(ctx, p.v, c.share_logit, db, dxv, dp.v);
    token_shift_backward<B, MixOf::previous>(scratch, mixes<B>(p), c.x, c.start,
                                             std::array{dxr, dxw, dxk, dxv, dxa, dxg}, stream(dx), mixes<Accum<B>>(dp),
                                             ds.last);
  }

 private:
  template <class B>
  static auto mixes(const Params<B>& p) {
    return std::array{p.x_r, p.x_w, p.x_k, p.x_v, p.x_a, p.x_g};
  }
  template <class B>
  static TensorOf<B, Stream> v(const Cache<B>& c) {
    if constexpr (First)
      return c.v_raw;
    else
      return c.v;
  }
  template <class B>
  static wkv7::Signals<B, H, Size> signals(const Cache<B>& c) {
    return {c.r, c.w, c.k, v(c), c.a, c.b};
  }
  template <class B>
  static wkv7::Operands<B, C> operands(const Cache<B>& c) {
    return {c.k_raw, c.v_raw, c.v_first, c.w, c.rate, c.v_share, c.k, v(c), c.a, c.b};
  }
};

}  // namespace rwkv::v7
