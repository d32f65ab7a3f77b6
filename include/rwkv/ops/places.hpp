#pragma once
#include <algorithm>

#include <rwkv/backend/backend.hpp>
#include <rwkv/core/accum.hpp>
#include <rwkv/core/error.hpp>
#include <rwkv/core/lanes.hpp>
#include <rwkv/core/view.hpp>

// Where in their sequences the tokens of a call stand.
namespace rwkv::detail {

/// How many tokens a sequence has seen; a state counts in scalars, rounded when read, so that its derivative is 0.
template <class T>
RWKV_HD dim_t tokens_seen(const T* seen, dim_t b) {
  return static_cast<dim_t>(seen[b] + T(0.5));
}

template <class T>
struct CountTokens {
  dim_t time;
  T* seen;
  RWKV_HD void operator()(dim_t b, auto) const { seen[b] = T(tokens_seen(seen, b) + time); }
};

[[noreturn, gnu::cold, gnu::noinline]] inline void context_is_full(dim_t most, dim_t seen, dim_t more) {
  throw Error("the context is full: the model has positions for ", most, " tokens, ", seen, " were read, ", more,
              " more cannot be; begin anew with a fresh state, use shorter sequences, or a model with more positions");
}

/// How many tokens each sequence of a call has seen, read on the host, many at once: a machine may have to wait for it.
template <class B>
class Places {
 public:
  Places(Seq seq, const compute_of<typename B::scalar>* seen) : seq_(seq), seen_(seen) {}

  dim_t of(dim_t b) {
    if (b / some != held_) {
      held_ = b / some;
      Accum<B>::download(host_, seen_ + held_ * some, std::min(some, seq_.batch - held_ * some));
    }
    return tokens_seen(host_, b % some);
  }
  /// Error where a sequence would have more than `most` tokens after the call.
  void expect_room(dim_t most) {
    for (dim_t b = 0; b < seq_.batch; ++b)
      if (of(b) + seq_.time > most) context_is_full(most, of(b), seq_.time);
  }

 private:
  static constexpr dim_t some = 512;

  Seq seq_;
  const compute_of<typename B::scalar>* seen_;
  dim_t held_ = -1;
  compute_of<typename B::scalar> host_[some];
};

}  // namespace rwkv::detail
