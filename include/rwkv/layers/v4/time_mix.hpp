#pragma once
#include <rwkv/layers/child.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/layers/v4/init.hpp>
#include <rwkv/ops/token_shift.hpp>
#include <rwkv/ops/wkv4.hpp>

namespace rwkv::v4 {

/// RWKV-4's attention (Peng et al. 2023, arXiv 2305.13048): k, v, r from lerps of a token with the one before it;
/// out = W_o (sigmoid(r) wkv(k, v)). C channels in and out, A inside. How says how wkv goes over time; Projection is
/// the kind of layer that makes k, v, r and the output.
template <dim_t C, dim_t A = C, OverTime How = OverTime::automatic,
          template <dim_t, dim_t, const Init&> class Projection = Linear>
struct TimeMix {
  using In = Shape<Batch, Time, C>;
  using Out = In;
  using Inside = Shape<Batch, Time, A>;
  using Key = Projection<C, A, init::zeros>;
  using Value = Projection<C, A, init::orthogonal_unit>;
  using Receptance = Key;
  using Output = Projection<A, C, init::zeros>;
  /// Of wkv, per channel: 2 maxima, 2 exponentials, 12 products and sums.
  static constexpr dim_t flops = Key::flops + Value::flops + Receptance::flops + Output::flops + 16 * A;

  template <class B>
  struct Params {
    Tensor<B, A> time_decay, time_first;
    Tensor<B, 1, 1, C> time_mix_k, time_mix_v, time_mix_r;
    typename Key::template Params<B> key;
    typename Value::template Params<B> value;
    typename Receptance::template Params<B> receptance;
    typename Output::template Params<B> output;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{.name = "time_decay", .init = v4::time_decay, .lr_scale = 2}, p.time_decay...);
      f(Field{.name = "time_first", .init = v4::time_first, .lr_scale = 3}, p.time_first...);
      f(Field{"time_mix_k", time_mix}, p.time_mix_k...);
      f(Field{"time_mix_v", time_mix_value}, p.time_mix_v...);
      f(Field{"time_mix_r", time_mix_gate}, p.time_mix_r...);
      f(Field{"key"}, p.key...);
      f(Field{"value"}, p.value...);
      f(Field{"receptance"}, p.receptance...);
      f(Field{"output"}, p.output...);
    }
  };
  template <class B>
  struct Cache {
    static constexpr int borrowed = 4;
    TensorOf<B, In> x;
    TensorOf<B, Inside> k, v, r;
    Tensor<Accum<B>, Batch, C> start;  // the token before the first
    Tensor<B, Batch, Time, C> xk, xv, xr;
    typename Key::template Cache<B> key;
    typename Value::template Cache<B> value;
    typename Receptance::template Cache<B> receptance;
    TensorOf<B, Inside> wkv, gated;
    Tensor<Accum<B>, Batch, Spans, 3, A> starts;  // wkv's state before every span
    typename Output::template Cache<B> output;
    static constexpr void fields(auto&& f, auto&&... c) {
      f(Field{"start"}, c.start...);
      f(Field{"xk"}, c.xk...);
      f(Field{"xv"}, c.xv...);
      f(Field{"xr"}, c.xr...);
      f(Field{"key"}, c.key...);
      f(Field{"value"}, c.value...);
      f(Field{"receptance"}, c.receptance...);
      f(Field{"wkv"}, c.wkv...);
      f(Field{"gated"}, c.gated...);
      f(Field{"starts"}, c.starts...);
      f(Field{"output"}, c.output...);
    }
  };
  template <class B>
  struct State {
    Tensor<B, Batch, C> last;    // the last token this layer saw
    Tensor<B, Batch, 3, A> wkv;  // aa, bb, pp: sums aa e^pp and bb e^pp
    static constexpr void fields(auto&& f, auto&&... s) {
      f(Field{"last"}, s.last...);
      f(Field{"wkv", empty_wkv}, s.wkv...);
    }
  };

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c,
                                  State<Accum<B>>& s) {
    c.x = x;
    Accum<B>::copy(c.start.data, s.last.data, s.last.size());
    token_shift_forward<B>(ctx.scratch, mixes<B>(p), x, s.last, std::array{c.xk, c.xv, c.xr});
    c.k = forward_child<Key>(ctx, p.key, c.xk, c.key);
    c.v = forward_child<Value>(ctx, p.value, c.xv, c.value);
    c.r = forward_child<Receptance>(ctx, p.receptance, c.xr, c.receptance);
    wkv4_forward<B>(ctx.scratch, p.time_decay, p.time_first, c.k, c.v, c.wkv, s.wkv, c.starts, OverTimeIs<How>{});
    gate_forward<B>(c.r, c.wkv, c.gated);
    return forward_child<Output>(ctx, p.output, c.gated, c.output);
  }

  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    auto& scratch = ctx.scratch;
    const auto frame = scratch.frame();
    const Seq seq = dy.seq;
    const auto dr = scratch.template take<Inside>(seq), dk = scratch.template take<Inside>(seq),
               dv = scratch.template take<Inside>(seq);
    {
      const auto inner = scratch.frame();
      const auto dgated = scratch.template take<Inside>(seq);
      backward_child<Output>(ctx, p.output, c.output, dy, dgated, dp.output);
      gate_backward<B>(c.r, c.wkv, dgated, dr, dgated);
      wkv4_backward<B>(scratch, p.time_decay, p.time_first, c.k, c.v, c.starts, dgated, dk, dv, dp.time_decay,
                       dp.time_first, ds.wkv, OverTimeIs<How>{});
    }
    const auto dxk = scratch.template take<In>(seq), dxv = scratch.template take<In>(seq),
               dxr = scratch.template take<In>(seq);
    backward_child<Key>(ctx, p.key, c.key, dk, dxk, dp.key);
    backward_child<Value>(ctx, p.value, c.value, dv, dxv, dp.value);
    backward_child<Receptance>(ctx, p.receptance, c.receptance, dr, dxr, dp.receptance);
    token_shift_backward<B>(scratch, mixes<B>(p), c.x, c.start, std::array{dxk, dxv, dxr}, dx, mixes<Accum<B>>(dp),
                            ds.last);
  }

 private:
  template <class B>
  static auto mixes(const Params<B>& p) {
    return std::array{p.time_mix_k, p.time_mix_v, p.time_mix_r};
  }
};

}  // namespace rwkv::v4
