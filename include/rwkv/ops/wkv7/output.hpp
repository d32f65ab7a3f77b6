#pragma once
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/each_head.hpp>

// What RWKV-7 makes of WKV-7's normalised output n, head by head: out = (n + (sum r k r_k) v) g. The sum is a bonus for
// the token at hand.
namespace rwkv {
namespace wkv7 {

template <class T>
RWKV_HD compute_of<T> bonus(const auto& across, const T* r, const T* k, const T* r_k) {
  return across.sum([&](auto c) { return load(r, c) * load(k, c) * load(r_k, c); });
}

template <class T, int H, dim_t Size>
struct GatedOutput {
  const T *r_k, *r, *k, *v, *n, *g;
  T* out;
  RWKV_HD void operator()(const auto& across, dim_t row) const {
    const dim_t x = row * Size;
    const auto s = bonus(across, r + x, k + x, r_k + row % H * Size);
    across.each([&](auto c) { store(out, x + c, (load(n, x + c) + s * load(v, x + c)) * load(g, x + c)); });
  }
};
/// dn = dout g, dg = dout (n + s v); either may be dout.
template <class T, int H, dim_t Size>
struct GatedOutputBackward {
  const T *r_k, *r, *k, *v, *n, *g, *dout;
  T *dn, *dg;
  RWKV_HD void operator()(const auto& across, dim_t row) const {
    const dim_t x = row * Size;
    const auto s = bonus(across, r + x, k + x, r_k + row % H * Size);
    across.each([&](auto c) {
      const auto i = x + c;
      const auto d = load(dout, i), o = load(n, i) + s * load(v, i);
      store(dn, i, d * load(g, i));
      store(dg, i, d * o);
    });
  }
};
/// What the bonus adds to dr, dk and dv, and to sum 0, the gradient of r_k.
template <class T, int H, dim_t Size>
struct BonusBackward {
  using Number = compute_of<T>;
  const T *r_k, *r, *k, *v, *dn;
  T *dr, *dk, *dv;
  RWKV_HD void operator()(const auto& across, dim_t row, const auto& add) const {
    const dim_t x = row * Size, p = row % H * Size;
    const Number s = bonus(across, r + x, k + x, r_k + p);
    const Number ds = across.sum([&](auto c) { return load(dn, x + c) * load(v, x + c); });
    across.each([&](auto c) {
      const auto i = x + c;
      const auto r_c = load(r, i), k_c = load(k, i), bonus_c = load(r_k, p + c);
      store(dr, i, load(dr, i) + ds * k_c * bonus_c);
      store(dk, i, load(dk, i) + ds * r_c * bonus_c);
      store(dv, i, load(dv, i) + s * load(dn, i));
      add(0, c, ds * r_c * k_c);
    });
  }
};

}  // namespace wkv7

template <class B, dim_t H, dim_t Size, dim_t C>
void wkv7_output_forward(Tensor<B, H, Size> r_k, Tensor<B, Batch, Time, C> r, Tensor<B, Batch, Time, C> k,
                         Tensor<B, Batch, Time, C> v, Tensor<B, Batch, Time, C> n, Tensor<B, Batch, Time, C> g,
                         Tensor<B, Batch, Time, C> out) {
  static_assert(H * Size == C);
  for_each_head<B, H, Size>(r.seq.tokens(), wkv7::GatedOutput<typename B::scalar, H, Size>{
                                                r_k.data, r.data, k.data, v.data, n.data, g.data, out.data});
}
/// Writes dn and dg, either of which may be dout.
template <class B, dim_t H, dim_t Size, dim_t C>
void wkv7_output_backward(Tensor<B, H, Size> r_k, Tensor<B, Batch, Time, C> r, Tensor<B, Batch, Time, C> k,
                          Tensor<B, Batch, Time, C> v, Tensor<B, Batch, Time, C> n, Tensor<B, Batch, Time, C> g,
                          Tensor<B, Batch, Time, C> dout, Tensor<B, Batch, Time, C> dn, Tensor<B, Batch, Time, C> dg) {
  for_each_head<B, H, Size>(
      r.seq.tokens(), wkv7::GatedOutputBackward<typename B::scalar, H, Size>{r_k.data, r.data, k.data, v.data, n.data,
                                                                             g.data, dout.data, dn.data, dg.data});
}
/// Adds the bonus's part to dr, dk, dv and dr_k.
template <class B, dim_t H, dim_t Size, dim_t C>
void wkv7_bonus_backward(Scratch<B>& scratch, Tensor<B, H, Size> r_k, Tensor<B, Batch, Time, C> r,
                         Tensor<B, Batch, Time, C> k, Tensor<B, Batch, Time, C> v, Tensor<B, Batch, Time, C> dn,
                         Tensor<B, Batch, Time, C> dr, Tensor<B, Batch, Time, C> dk, Tensor<B, Batch, Time, C> dv,
                         Tensor<Accum<B>, H, Size> dr_k) {
  using Kernel = wkv7::BonusBackward<typename B::scalar, H, Size>;
  for_each_head<B, H, Size>(scratch, r.seq.tokens(),
                            Kernel{r_k.data, r.data, k.data, v.data, dn.data, dr.data, dk.data, dv.data},
                            std::array{dr_k.data});
}

}  // namespace rwkv
