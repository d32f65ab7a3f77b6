#pragma once
#include <type_traits>

#include <rwkv/core/bf16.hpp>
#include <rwkv/models/model.hpp>
#include <rwkv/ops/copy_as.hpp>

namespace rwkv {
namespace detail {

/// The full-precision number where it rounds to the stored one, else the stored one.
template <class T>
struct RefreshMaster {
  const T* stored;
  compute_of<T>* full;
  RWKV_HD void operator()(dim_t, auto i) const {
    const auto x = load(full, i), w = load(stored, i);
    store(full, i, rounded_to<T>(x) == w ? x : w);
  }
};

}  // namespace detail

/// The parameters that an optimizer moves: the model's own or, on a machine of reduced precision, a full-precision copy
/// that rounds to them. In the copy, steps that are smaller than a rounding add up.
template <class Net, Backend B>
class Master {
 public:
  using Params = Owned<Accum<B>, typename Net::template Params<Accum<B>>>;
  static constexpr bool copies = ReducedPrecision<B>;

  explicit Master(Model<Net, B>& model) : model_(model) {}

  /// In agreement with the model's: a parameter that was changed there since is changed here.
  Params& params() {
    if constexpr (copies) {
      B::for_each(1, copy_.size(), detail::RefreshMaster<typename B::scalar>{model_.params.data(), copy_.data()});
      return copy_;
    } else {
      return model_.params;
    }
  }
  /// Rounds params() to the model's parameters.
  void write_back() {
    if constexpr (copies) copy_as<B>(model_.params.data(), copy_.data(), copy_.size());
  }

 private:
  Model<Net, B>& model_;
  std::conditional_t<copies, Params, Empty> copy_;
};

}  // namespace rwkv
