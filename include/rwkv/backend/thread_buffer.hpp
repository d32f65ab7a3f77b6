#pragma once
#include <memory>
#include <new>

#include <rwkv/core/config.hpp>

namespace rwkv::detail {

/// Memory that a thread keeps from call to call.
template <class T>
class ThreadBuffer {
 public:
  T* at_least(dim_t n) {
    if (n > size_)
      data_.reset(static_cast<T*>(::operator new(sizeof(T) * static_cast<std::size_t>(n), line))), size_ = n;
    return data_.get();
  }

 private:
  static constexpr std::align_val_t line{64};
  struct Free {
    void operator()(T* p) const { ::operator delete(p, line); }
  };
  std::unique_ptr<T, Free> data_;
  dim_t size_ = 0;
};

}  // namespace rwkv::detail
