#pragma once
#include <rwkv/core/math.hpp>
#include <rwkv/ops/wkv6/signals.hpp>

// WKV-5 and 6 token after token, on any machine. Rows of the state (keys) do not know of each other, nor do columns
// (values): a thread takes one of either.
namespace rwkv::wkv6 {

/// Index: a head and a value.
template <class B, dim_t H, dim_t Size, class In>
struct ColumnForward {
  using T = typename Accum<B>::scalar;
  In in;
  Tensor<B, Batch, Time, H * Size> y;
  State<B, H, Size> state;
  Starts<B, H, Size> starts;

  RWKV_HD void operator()(dim_t n) const {
    const dim_t head = n / Size, j = n % Size, bonus = in.parameter(head);
    T z[Size];
    for (dim_t i = 0; i < Size; ++i) z[i] = state[(head * Size + i) * Size + j];
    for (dim_t t = 0; t < in.seq().time; ++t) {
      const dim_t x = in.at(head, t), fades = in.decay(head, t);
      if (starts.data && t % span == 0)
        for (dim_t i = 0; i < Size; ++i) starts[in.start(head, t / span) + i * Size + j] = z[i];
      const T v = load(in.v.data, x + j);
      T y_t = 0;
      for (dim_t i = 0; i < Size; ++i) {
        const T kv = load(in.k.data, x + i) * v;
        y_t += load(in.r.data, x + i) * (z[i] + load(in.u.data, bonus + i) * kv);
        z[i] = math::exp(load(in.w.data, fades + i)) * z[i] + kv;
      }
      store(y.data, x + j, y_t);
    }
    for (dim_t i = 0; i < Size; ++i) state[(head * Size + i) * Size + j] = z[i];
  }
};

/// Index: a head and a value. Writes dv.
template <class B, dim_t H, dim_t Size, class In>
struct ColumnBackward {
  using T = typename Accum<B>::scalar;
  In in;
  Tensor<B, Batch, Time, H * Size> dy, dv;
  State<B, H, Size> dstate;

  RWKV_HD void operator()(dim_t n) const {
    const dim_t head = n / Size, j = n % Size, bonus = in.parameter(head);
    T dz[Size];
    for (dim_t i = 0; i < Size; ++i) dz[i] = dstate[(head * Size + i) * Size + j];
    for (dim_t t = in.seq().time; t-- > 0;) {
      const dim_t x = in.at(head, t), fades = in.decay(head, t);
      const T dy_t = load(dy.data, x + j);
      T dv_t = 0;
      for (dim_t i = 0; i < Size; ++i) {
        const T dread = load(in.r.data, x + i) * dy_t;
        dv_t += load(in.k.data, x + i) * (dz[i] + load(in.u.data, bonus + i) * dread);
        dz[i] = math::exp(load(in.w.data, fades + i)) * dz[i] + dread;
      }
      store(dv.data, x + j, dv_t);
    }
  }
};

/// Index: a head and a key. Writes the other gradients.
template <class B, dim_t H, dim_t Size, class In, class Out>
struct RowBackward {
  using T = typename Accum<B>::scalar;
  In in;
  Out d;
  Starts<B, H, Size> starts;
  Tensor<B, Batch, Time, H * Size> dy;
  State<B, H, Size> dstate;
  Sums<T, Size> sums;

  RWKV_HD void operator()(dim_t n) const {
    const dim_t head = n / Size, i = n % Size;
    const T u = load(in.u.data, in.parameter(head) + i);
    T z[span][Size];  // before every token of a span
    T *const dz = dstate.data + n * Size, du = 0, dw_all = 0;
    for (dim_t s = in.seq().spans(); s-- > 0;) {
      const dim_t first = s * span, end = math::min(first + span, in.seq().time);
      for (dim_t j = 0; j < Size; ++j) z[0][j] = starts[in.start(head, s) + i * Size + j];
      for (dim_t t = first; t + 1 < end; ++t) {
        const dim_t x = in.at(head, t);
        const T fade = math::exp(load(in.w.data, in.decay(head, t) + i)), k = load(in.k.data, x + i);
        for (dim_t j = 0; j < Size; ++j) z[t - first + 1][j] = fade * z[t - first][j] + k * load(in.v.data, x + j);
      }
      for (dim_t t = end; t-- > first;) {
        const dim_t x = in.at(head, t);
        const T r = load(in.r.data, x + i), k = load(in.k.data, x + i);
        const T fade = math::exp(load(in.w.data, in.decay(head, t) + i));
        T dr = 0, dk = 0, dw = 0, dbonus = 0;
        for (dim_t j = 0; j < Size; ++j) {
          const T dy_t = load(dy.data, x + j), v = load(in.v.data, x + j);
          dr += z[t - first][j] * dy_t, dk += dz[j] * v, dw += fade * dz[j] * z[t - first][j], dbonus += v * dy_t;
          dz[j] = fade * dz[j] + r * dy_t;
        }
        store(d.r.data, x + i, dr + u * k * dbonus), store(d.k.data, x + i, dk + u * r * dbonus);
        if constexpr (!In::still) store(d.w.data, x + i, dw);
        du += r * k * dbonus, dw_all += dw;
      }
    }
    sums.bonus(head)[i] = du, sums.decay(head)[i] = dw_all;
  }
};

}  // namespace rwkv::wkv6
