#pragma once
#include <rwkv/core/lanes.hpp>
#include <rwkv/core/view.hpp>

namespace rwkv::detail {

/// Which keys a token of the call sees, and where they lie. Keys are counted from the call's first token: j < 0 came
/// before the call and lies in the ring of the last `window` tokens, the token of position s in row s % window.
template <class T>
struct History {
  Seq seq;
  dim_t heads, width;  // of a head
  dim_t window;
  const T* position;  // (Batch); null: nothing came before

  RWKV_HD dim_t before(dim_t b) const { return position ? static_cast<dim_t>(position[b] + T(0.5)) : 0; }
  /// The first key that token t sees; the last is t itself.
  RWKV_HD dim_t first(dim_t before, dim_t t) const {
    const dim_t reach = before < window - 1 ? before : window - 1;  // the oldest row of a full ring is out of sight
    return t - window + 1 > -reach ? t - window + 1 : -reach;
  }
  /// Past the last token that sees key j.
  RWKV_HD dim_t end(dim_t j) const { return j + window < seq.time ? j + window : seq.time; }

  /// Scalars before the row of head h: in the call, and in the ring.
  RWKV_HD dim_t row(dim_t b, dim_t t, dim_t h) const { return ((b * seq.time + t) * heads + h) * width; }
  RWKV_HD dim_t ring(dim_t b, dim_t seen, dim_t h) const { return ((b * window + seen % window) * heads + h) * width; }
};

/// The operands of one kind, keys or values or their gradients: those of the call, and those before it in full
/// precision.
template <class T>
struct Keys {
  T* now;
  compute_of<T>* cached;

  /// Where T is of full precision.
  RWKV_HD T* row(const auto& history, dim_t b, dim_t before, dim_t j, dim_t h) const {
    return j < 0 ? cached + history.ring(b, before + j, h) : now + history.row(b, j, h);
  }
};

}  // namespace rwkv::detail
