#pragma once
#include <type_traits>

#include <rwkv/core/bf16.hpp>
#include <rwkv/models/model.hpp>
#include <rwkv/ops/copy_as.hpp>

namespace rwkv {
namespace detail {

/// A number in full length that rounds to what is stored, else that.
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

/// What an optimizer moves: the model's parameters, or, where its machine stores them shortened, a copy in full length
/// whose roundings they are. There steps add up that are smaller than a rounding.
template <class Net, Backend B>
class Master {
 public:
  using Params = Owned<Accum<B>, typename Net::template Params<Accum<B>>>;
  static constexpr bool copies = ReducedPrecision<B>;

  explicit Master(Model<Net, B>& model) : model_(model) {}

  /// As the model's are now: a parameter that somebody else has changed there is changed here.
  Params& params() {
    if constexpr (copies) {
      B::for_each(1, copy_.size(), detail::RefreshMaster<typename B::scalar>{model_.params.data(), copy_.data()});
      return copy_;
    } else {
      return model_.params;
    }
  }
  /// Rounds what params() has become to the model's.
  void write_back() {
    if constexpr (copies) copy_as<B>(model_.params.data(), copy_.data(), copy_.size());
  }

 private:
  Model<Net, B>& model_;
  std::conditional_t<copies, Params, Empty> copy_;
};

}  // namespace rwkv
