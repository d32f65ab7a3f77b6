#pragma once
#include <type_traits>
#include <vector>

#include <rwkv/core/bf16.hpp>
#include <rwkv/io/bundle_memory.hpp>
#include <rwkv/models/model.hpp>
#include <rwkv/ops/copy_as.hpp>
#include <rwkv/training/cut_leaves.hpp>

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
  using Full = Accum<B>;

 public:
  static constexpr bool copies = ReducedPrecision<B>;

  /// Of a share of the trained parameters, which are the first so many in the model's memory; and of all that are not
  /// trained, since a checkpoint holds them.
  Master(Model<Net, B>& model, Share own, dim_t trained)
      : model_(model), own_(own), trained_(trained), rest_(model.params.size() - trained) {
    if constexpr (copies) {
      copy_.reset(Full::allocate(own_.size + rest_));
      Full::fill(copy_.get(), own_.size + rest_, 0);
      leaves_ = cut_to_run(model.params.leaves(), own_);
      for (std::size_t i = 0; i < leaves_.size(); ++i) {
        const Leaf& whole = model.params.leaves()[i];
        if (whole.offset >= trained_) leaves_[i] = whole, leaves_[i].offset += own_.size - trained_;
        leaves_[i].storage = storage_of<typename Full::scalar>;
      }
    }
  }

  /// The share, in agreement with the model's: a parameter that was changed there since is changed here.
  typename Full::scalar* params() {
    if constexpr (copies) {
      refresh(own_.first, own_.size, copy_.get());
      refresh(trained_, rest_, copy_.get() + own_.size);
      return copy_.get();
    } else {
      return model_.params.data() + own_.first;
    }
  }
  /// Rounds params() to the model's parameters.
  void write_back() {
    if constexpr (copies) {
      copy_as<B>(model_.params.data() + own_.first, copy_.get(), own_.size);
      copy_as<B>(model_.params.data() + trained_, copy_.get() + own_.size, rest_);
    }
  }
  /// What there is of all parameters in full precision, in agreement with the model's.
  BundleMemory memory() {
    params();
    if constexpr (copies)
      return memory_of<Full>(leaves_, copy_.get());
    else
      return memory_of(model_.params);
  }

 private:
  void refresh(dim_t first, dim_t n, typename Full::scalar* full) const requires copies {
    B::for_each(1, n, detail::RefreshMaster<typename B::scalar>{model_.params.data() + first, full});
  }

  Model<Net, B>& model_;
  Share own_;
  dim_t trained_, rest_;  // how many parameters are, and how many are not
  std::vector<Leaf> leaves_;
  std::conditional_t<copies, detail::Buffer<Full>, Empty> copy_;
};

}  // namespace rwkv
