#pragma once
#include <concepts>
#include <limits>

#include <rwkv/core/error.hpp>

namespace rwkv::detail {

/// Checks the settings of a config, one after the other: each Error names the config, the setting, the range it must
/// lie in and what was found.
class Ranges {
 public:
  explicit Ranges(const char* of, const char* way_out = "") : of_(of), way_out_(way_out) {}

  [[gnu::noinline]] void expect(bool met, const char* setting, const char* range, Word found) const {
    if (!met) throw Error(of_, ": expected ", setting, " ", range, ", found ", found.view(), way_out_);
  }
  /// Of a count.
  void at_least(int least, const char* setting, std::integral auto found) const {
    expect(found >= least, setting, least == 0 ? "of at least 0" : "of at least 1", found);
  }
  /// Of a number, which must be finite.
  void at_least_0(const char* setting, double found) const {
    expect(found >= 0 && finite(found), setting, "of at least 0", found);
  }
  static bool finite(double x) {
    constexpr double most = std::numeric_limits<double>::max();
    return x >= -most && x <= most;
  }

 private:
  const char *of_, *way_out_;
};

}  // namespace rwkv::detail
