#pragma once
#include <rwkv/layers/v1/channel_mix.hpp>
#include <rwkv/ops/token_scale.hpp>
#include <rwkv/ops/wkv1.hpp>

namespace rwkv::v1 {

/// For parity with the study: plain exponentials, and its parameters that nothing reads, which stay as they start.
template <dim_t C, dim_t A>
struct Parity {
  using Exponent = Raw;
  template <class B>
  struct Dead {
    WeightMatrix<B, A, C> weight;
    Tensor<B, A> bias;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{.name = "weight", .init = linear_weight, .trained = false}, p.weight...);
      f(Field{.name = "bias", .init = LinearBias<C>::init, .trained = false}, p.bias...);
    }
  };
};
/// For use: keys of any size, no dead parameters.
template <dim_t C, dim_t A>
struct Safe {
  using Exponent = Clamped;
  template <class B>
  using Dead = Empty;
};

/// RWKV-1's mixing over time: z = A(half a token, half the one before), then per head of D channels an average of
/// values, weighted by e^key and by learned weights of both places and their distance (see wkv1), output projection,
/// and a factor for the place. It knows Window places: a sequence of more tokens is an Error.
template <dim_t C, int H, dim_t D, dim_t Window, class Activation, template <dim_t, dim_t> class Mode = Safe>
struct TimeMix {
  static_assert(H > 1, "v1::TimeMix: at least two heads, whose decays are spread between the fastest and none");
  static_assert(Window > 0, "v1::TimeMix: the window must hold at least one token");
  static constexpr dim_t inside = H * D, half = C / 2;
  using In = Shape<Batch, Time, C>;
  using Out = In;
  using Inside = Shape<Batch, Time, inside>;
  using Exponent = typename Mode<C, inside>::Exponent;
  using Key = Projection<C, inside>;
  using Value = Key;
  using Output = Projection<inside, C>;
  /// Of a token that sees a full window.
  static constexpr dim_t flops = Key::flops + Value::flops + Output::flops + 2 * Window * inside;

  template <class B>
  struct Params {
    Tensor<B, H, Window> time_w;
    Tensor<B, H, 1, Window> time_alpha;
    Tensor<B, H, Window, 1> time_beta;
    Tensor<B, Window, 1> time_gamma;
    typename Mode<C, inside>::template Dead<B> receptance;
    typename Key::template Params<B> key;
    typename Value::template Params<B> value;
    typename Output::template Params<B> output;
    static constexpr void fields(auto&& f, auto&&... p) {
      f(Field{"time_w", v1::time_w}, p.time_w...);
      f(Field{"time_alpha", init::ones}, p.time_alpha...);
      f(Field{"time_beta", init::ones}, p.time_beta...);
      f(Field{"time_gamma", init::ones}, p.time_gamma...);
      f(Field{"Receptance"}, p.receptance...);
      f(Field{"Key"}, p.key...);
      f(Field{"Value"}, p.value...);
      f(Field{"output"}, p.output...);
    }
  };
  template <class B>
  struct State {
    Tensor<B, Batch, half> last;          // half of the last token this layer saw
    Tensor<B, Batch, H, Window, D> kept;  // e^k v of every token
    Tensor<B, Batch, H, D> sum;           // of e^k
    Tensor<B, Batch, 1> seen;             // tokens
    static constexpr void fields(auto&& f, auto&&... s) {
      f(Field{"last"}, s.last...);
      f(Field{"kept"}, s.kept...);
      f(Field{"sum"}, s.sum...);
      f(Field{"seen"}, s.seen...);
    }
  };
  template <class B>
  struct Cache {
    static constexpr int borrowed = 4;
    TensorOf<B, In> x;
    TensorOf<B, Inside> k, v;
    TensorOf<B, Out> unscaled;
    Tensor<Accum<B>, Batch, half> start;  // of the token before the first
    Tensor<Accum<B>, Batch, 1> seen;      // before the call
    Tensor<Accum<B>, Batch, H, Window, D> kept;
    TensorOf<B, In> z;
    typename Key::template Cache<B> key;
    typename Value::template Cache<B> value;
    typename Output::template Cache<B> output;
    Tensor<Accum<B>, Batch, Time, inside> den;
    Tensor<B, Batch, Time, inside> mixed;
    TensorOf<B, Out> y;
    static constexpr void fields(auto&& f, auto&&... c) {
      f(Field{"start"}, c.start...);
      f(Field{"seen"}, c.seen...);
      f(Field{"kept"}, c.kept...);
      f(Field{"z"}, c.z...);
      f(Field{"key"}, c.key...);
      f(Field{"value"}, c.value...);
      f(Field{"output"}, c.output...);
      f(Field{"den"}, c.den...);
      f(Field{"mixed"}, c.mixed...);
      f(Field{"y"}, c.y...);
    }
  };

  template <class B>
  static TensorOf<B, Out> forward(Context<B>& ctx, const Params<B>& p, TensorOf<B, In> x, Cache<B>& c,
                                  State<Accum<B>>& s) {
    c.x = x;
    Accum<B>::copy(c.start.data, s.last.data, s.last.size());
    Accum<B>::copy(c.seen.data, s.seen.data, s.seen.size());
    partial_shift_forward<B, Activation>(x, s.last, c.z);
    c.k = forward_child<Key>(ctx, p.key, c.z, c.key);
    c.v = forward_child<Value>(ctx, p.value, c.z, c.value);
    wkv1_forward<B, Exponent>(ctx.scratch, weights<B>(p), c.k, c.v, window<B>(s), c.den, c.mixed);
    if (ctx.needs_backward) Accum<B>::copy(c.kept.data, s.kept.data, s.kept.size());
    c.unscaled = forward_child<Output>(ctx, p.output, c.mixed, c.output);
    token_scale_forward<B>(p.time_gamma, c.seen, c.unscaled, c.y);
    return c.y;
  }

  template <class B>
  static void backward(Context<B>& ctx, const Params<B>& p, const Cache<B>& c, TensorOf<B, Out> dy, TensorOf<B, In> dx,
                       Params<Accum<B>>& dp, State<Accum<B>>& ds) {
    auto& scratch = ctx.scratch;
    const auto frame = scratch.frame();
    const Seq seq = dy.seq;
    const auto dz = scratch.template take<In>(seq);
    const auto dk = scratch.template take<Inside>(seq), dv = scratch.template take<Inside>(seq);
    {
      const auto inner = scratch.frame();
      const auto dmixed = scratch.template take<Inside>(seq);
      token_scale_backward<B>(p.time_gamma, c.seen, c.unscaled, dy, dz, dp.time_gamma);
      backward_child<Output>(ctx, p.output, c.output, dz, dmixed, dp.output);
      wkv1_backward<B, Exponent>(scratch, weights<B>(p), c.k, c.v,
                                 TimeWindow<Accum<B>, H, D, Window>{c.kept, {}, c.seen}, c.den, c.mixed, dmixed, dk, dv,
                                 weights<Accum<B>>(dp), window<B>(ds));
    }
    backward_child<Key>(ctx, p.key, c.key, dk, dz, dp.key);
    backward_child_add<Value>(ctx, p.value, c.value, dv, dz, dp.value);
    partial_shift_backward<B, Activation>(c.x, c.start, dz, dx, ds.last);
  }

 private:
  template <class B>
  static TimeWeights<B, H, Window> weights(const Params<B>& p) {
    return {p.time_w, p.time_alpha, p.time_beta};
  }
  template <class B>
  static TimeWindow<Accum<B>, H, D, Window> window(const State<Accum<B>>& s) {
    return {s.kept, s.sum, s.seen};
  }
};

}  // namespace rwkv::v1
