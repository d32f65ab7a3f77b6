#pragma once
#include <rwkv/core/math.hpp>
#include <rwkv/ops/wkv7/signals.hpp>

// WKV-7 token after token, on any machine. Given what each token recalls, rows of the state (keys) do not know of each
// other; columns (values) never do. So the way forward takes a thread for every column. The way back takes one for
// every column, to find the gradients of v and of what was recalled, and then one for every row.
namespace rwkv::wkv7 {

/// Index: a head and a value.
template <class B, dim_t H, dim_t Size>
struct ColumnForward {
  using T = typename Accum<B>::scalar;
  Signals<B, H, Size> in;
  Tensor<B, Batch, Time, H * Size> y;
  State<B, H, Size> state;
  Kept<B, H, Size> kept;

  RWKV_HD void operator()(dim_t n) const {
    const dim_t head = n / Size, j = n % Size;
    T z[Size];
    for (dim_t i = 0; i < Size; ++i) z[i] = state[(head * Size + i) * Size + j];
    for (dim_t t = 0; t < in.seq().time; ++t) {
      const dim_t x = in.at(head, t);
      if (kept.starts.data && t % span == 0)
        for (dim_t i = 0; i < Size; ++i) kept.starts[in.start(head, t / span) + i * Size + j] = z[i];
      const T v = load(in.v.data, x + j);
      T sa = 0, y_t = 0;
      for (dim_t i = 0; i < Size; ++i) sa += load(in.a.data, x + i) * z[i];
      for (dim_t i = 0; i < Size; ++i) {
        z[i] = math::exp(load(in.w.data, x + i)) * z[i] + load(in.b.data, x + i) * sa + load(in.k.data, x + i) * v;
        y_t += load(in.r.data, x + i) * z[i];
      }
      store(y.data, x + j, y_t);
      if (kept.recalled.data) kept.recalled[x + j] = sa;
    }
    for (dim_t i = 0; i < Size; ++i) state[(head * Size + i) * Size + j] = z[i];
  }
};

/// Index: a head and a value. Writes dv, and the gradient of sa.
template <class B, dim_t H, dim_t Size>
struct ColumnBackward {
  using T = typename Accum<B>::scalar;
  Signals<B, H, Size> in, d;
  Tensor<B, Batch, Time, H * Size> dy;
  State<B, H, Size> dstate;
  T* drecalled;

  RWKV_HD void operator()(dim_t n) const {
    const dim_t head = n / Size, j = n % Size;
    T dz[Size];
    for (dim_t i = 0; i < Size; ++i) dz[i] = dstate[(head * Size + i) * Size + j];
    for (dim_t t = in.seq().time; t-- > 0;) {
      const dim_t x = in.at(head, t);
      const T dy_t = load(dy.data, x + j);
      T dv = 0, dsa = 0;
      for (dim_t i = 0; i < Size; ++i) {
        dz[i] += load(in.r.data, x + i) * dy_t;
        dv += load(in.k.data, x + i) * dz[i], dsa += load(in.b.data, x + i) * dz[i];
      }
      for (dim_t i = 0; i < Size; ++i) dz[i] = math::exp(load(in.w.data, x + i)) * dz[i] + load(in.a.data, x + i) * dsa;
      store(d.v.data, x + j, dv);
      drecalled[x + j] = dsa;
    }
  }
};

/// Index: a head and a key. Writes the other gradients.
template <class B, dim_t H, dim_t Size>
struct RowBackward {
  using T = typename Accum<B>::scalar;
  Signals<B, H, Size> in, d;
  Kept<B, H, Size> kept;
  Tensor<B, Batch, Time, H * Size> dy;
  State<B, H, Size> dstate;
  const T* drecalled;

  RWKV_HD void operator()(dim_t n) const {
    const dim_t head = n / Size, i = n % Size, time = in.seq().time;
    T z[span + 1][Size];  // before every token of a span
    T* const dz = dstate.data + n * Size;
    for (dim_t s = in.seq().spans(); s-- > 0;) {
      const dim_t first = s * span, end = math::min(first + span, time);
      for (dim_t j = 0; j < Size; ++j) z[0][j] = kept.starts[in.start(head, s) + i * Size + j];
      for (dim_t t = first; t < end; ++t) {
        const dim_t x = in.at(head, t);
        const T fade = math::exp(load(in.w.data, x + i)), b = load(in.b.data, x + i), k = load(in.k.data, x + i);
        for (dim_t j = 0; j < Size; ++j)
          z[t - first + 1][j] = fade * z[t - first][j] + b * kept.recalled[x + j] + k * load(in.v.data, x + j);
      }
      for (dim_t t = end; t-- > first;) token(in.at(head, t), i, z[t - first], z[t - first + 1], dz);
    }
  }

 private:
  RWKV_HD void token(dim_t x, dim_t i, const T* before, const T* after, T* dz) const {
    const T r = load(in.r.data, x + i), a = load(in.a.data, x + i), fade = math::exp(load(in.w.data, x + i));
    T dr = 0, dw = 0, dk = 0, da = 0, db = 0;
    for (dim_t j = 0; j < Size; ++j) {
      const T dy_t = load(dy.data, x + j), dsa = drecalled[x + j], all = dz[j] + r * dy_t;
      dr += after[j] * dy_t, dk += all * load(in.v.data, x + j), db += all * kept.recalled[x + j];
      dw += fade * all * before[j], da += before[j] * dsa;
      dz[j] = fade * all + a * dsa;
    }
    store(d.r.data, x + i, dr), store(d.w.data, x + i, dw), store(d.k.data, x + i, dk);
    store(d.a.data, x + i, da), store(d.b.data, x + i, db);
  }
};

}  // namespace rwkv::wkv7
