#pragma once
#include <rwkv/core/scratch.hpp>
#include <rwkv/ops/reduce.hpp>
#include <rwkv/ops/rows.hpp>

// What RWKV-7 makes of WKV-7's normalised output n, head by head: out = (n + (sum r k r_k) v) g. The sum is a bonus for
// the token at hand.
namespace rwkv {
namespace wkv7 {

template <class Row, class T>
RWKV_HD compute_of<T> bonus(const T* r, const T* k, const T* r_k) {
  return Row::sum([&](auto c) { return load(r, c) * load(k, c) * load(r_k, c); });
}

template <class T, int H, dim_t Size>
struct GatedOutput {
  const T *r_k, *r, *k, *v, *n, *g;
  T* out;
  RWKV_HD void operator()(dim_t row) const {
    using Row = rwkv::Row<T, Size>;
    const dim_t x = row * Size;
    const auto s = bonus<Row>(r + x, k + x, r_k + row % H * Size);
    Row::each([&](auto c) { store(out, x + c, (load(n, x + c) + s * load(v, x + c)) * load(g, x + c)); });
  }
};
/// dn = dout g, dg = dout (n + s v); either may be dout.
template <class T, int H, dim_t Size>
struct GatedOutputBackward {
  const T *r_k, *r, *k, *v, *n, *g, *dout;
  T *dn, *dg;
  RWKV_HD void operator()(dim_t row) const {
    using Row = rwkv::Row<T, Size>;
    const dim_t x = row * Size;
    const auto s = bonus<Row>(r + x, k + x, r_k + row % H * Size);
    Row::each([&](auto c) {
      const auto i = x + c;
      const auto d = load(dout, i), o = load(n, i) + s * load(v, i);
      store(dn, i, d * load(g, i));
      store(dg, i, d * o);
    });
  }
};
/// What the bonus adds to dr, dk and dv, for a block of tokens; its share of dr_k, (blocks, H Size).
template <class T, int H, dim_t Size>
struct BonusBackward {
  using Number = compute_of<T>;
  static constexpr dim_t block = 64;
  dim_t tokens;
  const T *r_k, *r, *k, *v, *dn;
  T *dr, *dk, *dv;
  Number* shares;
  RWKV_HD void operator()(dim_t n) const {
    using Row = rwkv::Row<T, Size>;
    Number* const share = shares + n * H * Size;
    rwkv::Row<Number, H * Size>::each([&](auto c) { store(share, c, At<Number, decltype(c)>{}); });
    for (dim_t row = n * block * H, end = (n + 1) * block < tokens ? (n + 1) * block * H : tokens * H; row < end;
         ++row) {
      const dim_t x = row * Size, p = row % H * Size;
      const Number s = bonus<Row>(r + x, k + x, r_k + p);
      const Number ds = Row::sum([&](auto c) { return load(dn, x + c) * load(v, x + c); });
      Row::each([&](auto c) {
        const auto i = x + c;
        const auto r_c = load(r, i), k_c = load(k, i), bonus_c = load(r_k, p + c);
        store(dr, i, load(dr, i) + ds * k_c * bonus_c);
        store(dk, i, load(dk, i) + ds * r_c * bonus_c);
        store(dv, i, load(dv, i) + s * load(dn, i));
        store(share, p + c, load(share, p + c) + ds * r_c * k_c);
      });
    }
  }
};

}  // namespace wkv7

template <class B, dim_t H, dim_t Size, dim_t C>
void wkv7_output_forward(Tensor<B, H, Size> r_k, Tensor<B, Batch, Time, C> r, Tensor<B, Batch, Time, C> k,
                         Tensor<B, Batch, Time, C> v, Tensor<B, Batch, Time, C> n, Tensor<B, Batch, Time, C> g,
                         Tensor<B, Batch, Time, C> out) {
  static_assert(H * Size == C);
  B::for_each_row(r.seq.tokens() * H, wkv7::GatedOutput<typename B::scalar, H, Size>{r_k.data, r.data, k.data, v.data,
                                                                                     n.data, g.data, out.data});
}
/// Writes dn and dg, either of which may be dout.
template <class B, dim_t H, dim_t Size, dim_t C>
void wkv7_output_backward(Tensor<B, H, Size> r_k, Tensor<B, Batch, Time, C> r, Tensor<B, Batch, Time, C> k,
                          Tensor<B, Batch, Time, C> v, Tensor<B, Batch, Time, C> n, Tensor<B, Batch, Time, C> g,
                          Tensor<B, Batch, Time, C> dout, Tensor<B, Batch, Time, C> dn, Tensor<B, Batch, Time, C> dg) {
  B::for_each_row(r.seq.tokens() * H,
                  wkv7::GatedOutputBackward<typename B::scalar, H, Size>{r_k.data, r.data, k.data, v.data, n.data,
                                                                         g.data, dout.data, dn.data, dg.data});
}
/// Adds the bonus's part to dr, dk, dv and dr_k.
template <class B, dim_t H, dim_t Size, dim_t C>
void wkv7_bonus_backward(Scratch<B>& scratch, Tensor<B, H, Size> r_k, Tensor<B, Batch, Time, C> r,
                         Tensor<B, Batch, Time, C> k, Tensor<B, Batch, Time, C> v, Tensor<B, Batch, Time, C> dn,
                         Tensor<B, Batch, Time, C> dr, Tensor<B, Batch, Time, C> dk, Tensor<B, Batch, Time, C> dv,
                         Tensor<Accum<B>, H, Size> dr_k) {
  using Kernel = wkv7::BonusBackward<typename B::scalar, H, Size>;
  const auto frame = scratch.frame();
  const dim_t tokens = r.seq.tokens(), blocks = (tokens + Kernel::block - 1) / Kernel::block;
  auto* const shares = scratch.accum(blocks * C);
  B::for_each_row(blocks, Kernel{tokens, r_k.data, r.data, k.data, v.data, dn.data, dr.data, dk.data, dv.data, shares});
  add_rows<B>(blocks, C, C, shares, dr_k.data);
}

}  // namespace rwkv
