#pragma once
#include <rwkv/core/config.hpp>

namespace rwkv::detail {

/// Lines of memory that will be needed some time later. A processor that is asked for many at once waits until it has
/// room for them, so it is asked for a few at a time, between products.
class LinesAhead {
 public:
  /// Rows of Size numbers, so many numbers apart.
  template <dim_t Size, class T>
  void want(const T* p, dim_t row, dim_t rows) {
    constexpr dim_t bytes = sizeof(T);
    if (rows > 0 && count_ < most)
      wanted_[count_++] = {reinterpret_cast<const char*>(p), row * bytes, Size * bytes, rows};
  }
  /// Asks for some of what is wanted.
  [[gnu::noinline]] void ask() {
    for (int n = 0; n < at_once; ++n) {
      if (next_ == count_) return forget();
      Rows& rows = wanted_[next_];
      for (dim_t i = 0; i < rows.bytes; i += line) __builtin_prefetch(rows.first + i, 0, 2);
      rows.first += rows.apart;
      if (--rows.count == 0) ++next_;
    }
  }
  /// What is wanted no longer.
  void forget() { next_ = count_ = 0; }

 private:
  static constexpr int most = 16, at_once = 8;  // 32 lines of heads of 64
  static constexpr dim_t line = 64;
  struct Rows {
    const char* first;
    dim_t apart, bytes, count;
  };
  Rows wanted_[most];
  int next_ = 0, count_ = 0;
};

}  // namespace rwkv::detail
