#pragma once
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/each_head.hpp>

// What WKV-7 is given, from what the projections of RWKV-7 make (arXiv 2503.14456), head by head:
//
//   log w = -e^{-1/2} sigmoid(w logit),  g = sigmoid(a logit),  u = k k_k,  kk = u / max(|u|, 1e-12)
//   a = -kk,  b = kk g,  k' = k (1 + (g - 1) k_a),  v' = v + (v_first - v) sigmoid(v logit)
//
// v_first is the v of the first block, which has no v logit: there v' = v.
namespace rwkv {
namespace wkv7 {

/// -log of the lowest decay, e^{-1/2}.
template <class Size>
inline constexpr Size fastest_decay = Size(0.60653065971263342360);

/// What kk is divided by.
template <class T>
RWKV_HD compute_of<T> length(const auto& across, const T* k, const T* k_k) {
  return math::sqrt(across.sum([&](auto c) {
    const auto u = load(k, c) * load(k_k, c);
    return u * u;
  }));
}
template <class Size>
inline constexpr Size least_length = Size(1e-12);

/// A head of a token. w, gate and v_gate come in as logits and go out as log w, g and the sigmoid of the v logit.
template <class T, int H, dim_t Size, bool First>
struct MakeOperands {
  using Number = compute_of<T>;
  const T *k_k, *k_a, *k_raw, *v_raw, *v_first;
  T *w, *gate, *v_gate, *k, *v, *a, *b;

  RWKV_HD void operator()(const auto& across, dim_t row) const {
    const dim_t x = row * Size, p = row % H * Size;
    const Number scale = Number(1) / math::max(length(across, k_raw + x, k_k + p), least_length<Number>);
    across.each([&](auto c) {
      const auto i = x + c;
      const auto k_c = load(k_raw, i), g = math::sigmoid(load(gate, i)), kk = k_c * load(k_k, p + c) * scale;
      store(w, i, -fastest_decay<Number> * math::sigmoid(load(w, i)));
      store(gate, i, g);
      store(a, i, -kk);
      store(b, i, kk * g);
      store(k, i, k_c * (Number(1) + (g - Number(1)) * load(k_a, p + c)));
      if constexpr (!First) {
        const auto m = math::sigmoid(load(v_gate, i)), v_c = load(v_raw, i);
        store(v_gate, i, m);
        store(v, i, v_c + (load(v_first, i) - v_c) * m);
      }
    });
  }
};

/// The same backwards: adds to sums 0 and 1, the gradients of k_k and k_a. dw, da, dk and dv come in as the gradients
/// of log w, a, k' and v' and go out as those of the w logit, the a logit, k and v; db goes out as that of the v logit.
/// dv_first is added to.
template <class T, int H, dim_t Size, bool First>
struct MakeOperandsBackward {
  using Number = compute_of<T>;
  const T *k_k, *k_a, *k_raw, *v_raw, *v_first, *w, *gate, *v_gate, *a;
  T *dw, *dk, *dv, *da, *db, *dv_first;

  RWKV_HD void operator()(const auto& across, dim_t row, const auto& add) const {
    const dim_t x = row * Size, p = row % H * Size;
    const Number size = length(across, k_raw + x, k_k + p);
    const Number scale = Number(1) / math::max(size, least_length<Number>);
    const auto dkk_at = [&](auto i) { return load(db, i) * load(gate, i) - load(da, i); };
    const Number along =  // the part of the gradient that the length takes away
        size < least_length<Number> ? Number(0) : -across.sum([&](auto c) { return load(a, x + c) * dkk_at(x + c); });
    across.each([&](auto c) {
      const auto i = x + c;
      const auto kk = -load(a, i), g = load(gate, i), k_c = load(k_raw, i), dk_c = load(dk, i), db_c = load(db, i);
      const auto k_k_c = load(k_k, p + c), k_a_c = load(k_a, p + c), log_w = load(w, i);
      const auto du = (dkk_at(i) - kk * along) * scale;
      store(dw, i, load(dw, i) * log_w * (Number(1) + log_w / fastest_decay<Number>));
      store(dk, i, dk_c * (Number(1) + (g - Number(1)) * k_a_c) + du * k_k_c);
      store(da, i, (db_c * kk + dk_c * k_c * k_a_c) * g * (Number(1) - g));
      add(0, c, du * k_c);
      add(1, c, dk_c * k_c * (g - Number(1)));
      if constexpr (!First) {
        const auto m = load(v_gate, i), dv_c = load(dv, i);
        store(dv_first, i, load(dv_first, i) + dv_c * m);
        store(db, i, dv_c * (load(v_first, i) - load(v_raw, i)) * m * (Number(1) - m));
        store(dv, i, dv_c * (Number(1) - m));
      }
    });
  }
};

/// What the projections made and what is made of it; without a residual v_raw is v, and v_first, v_gate and v are not
/// there.
template <class B, dim_t C>
struct Operands {
  Tensor<B, Batch, Time, C> k_raw, v_raw, v_first, w, gate, v_gate, k, v, a, b;
};
template <class B, dim_t C>
struct OperandGradients {
  Tensor<B, Batch, Time, C> dw, dk, dv, da, db, dv_first;
};

}  // namespace wkv7

/// Writes k, v, a and b; w, gate and v_gate come in as logits and go out as log w, g and v_first's share.
template <class B, int H, bool First, dim_t C>
void wkv7_operands_forward(Tensor<B, 1, 1, C> k_k, Tensor<B, 1, 1, C> k_a, const wkv7::Operands<B, C>& o) {
  for_each_head<B, H, C / H>(o.k.seq.tokens(),
                             wkv7::MakeOperands<typename B::scalar, H, C / H, First>{
                                 k_k.data, k_a.data, o.k_raw.data, o.v_raw.data, o.v_first.data, o.w.data, o.gate.data,
                                 o.v_gate.data, o.k.data, o.v.data, o.a.data, o.b.data});
}
/// Of WKV-7's operands in place those of what the projections made: dw and da of the logits, dk of k_raw, dv of v_raw,
/// db of v_gate's logit. dv_first, dk_k and dk_a are added to.
template <class B, int H, bool First, dim_t C>
void wkv7_operands_backward(Scratch<B>& scratch, Tensor<B, 1, 1, C> k_k, Tensor<B, 1, 1, C> k_a,
                            const wkv7::Operands<B, C>& o, const wkv7::OperandGradients<B, C>& g,
                            Tensor<Accum<B>, 1, 1, C> dk_k, Tensor<Accum<B>, 1, 1, C> dk_a) {
  using Kernel = wkv7::MakeOperandsBackward<typename B::scalar, H, C / H, First>;
  for_each_head<B, H, C / H>(
      scratch, o.k.seq.tokens(),
      Kernel{k_k.data, k_a.data, o.k_raw.data, o.v_raw.data, o.v_first.data, o.w.data, o.gate.data, o.v_gate.data,
             o.a.data, g.dw.data, g.dk.data, g.dv.data, g.da.data, g.db.data, g.dv_first.data},
      std::array{dk_k.data, dk_a.data});
}

}  // namespace rwkv
