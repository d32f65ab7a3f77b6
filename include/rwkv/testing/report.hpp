#pragma once
#include <concepts>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include <rwkv/core/config.hpp>
#include <rwkv/core/number_text.hpp>

namespace rwkv::testing {

/// Two numbers that should agree and do not.
struct Finding {
  std::string law;    ///< what should hold, in words
  std::string place;  ///< which number of which tensor
  double expected, found, allowed;
};

/// What a check found out. It holds no more than words and numbers, so that any test framework can show it: it is true
/// where the law holds, and text() says the rest.
struct Report {
  std::string check;                      ///< its name, with the layer
  int cases = 0;                          ///< how many were tried
  std::string laws = {};                  ///< which ones hold, where a check tries several
  std::string smallest = {}, first = {};  ///< the smallest case that fails, and the one it was shrunk from
  std::optional<Finding> finding = {};

  explicit operator bool() const { return !finding; }
  /// What a test framework makes of true or false and adds words to, as GoogleTest's AssertionResult: EXPECT_TRUE shows
  /// the report.
  template <class Result>
  requires requires(Result r, std::string words) {
    Result(true);
    { r << words } -> std::convertible_to<Result>;
  }
  operator Result() const { return Result(!finding) << text(); }
  std::string text() const;
};

inline std::ostream& operator<<(std::ostream& out, const Report& report) {
  return out << report.text();
}

namespace detail {
/// The name of a type, as the compiler spells it, without the library's own namespaces.
template <class L>
std::string type_name() {
  std::string_view all = __PRETTY_FUNCTION__;
  const auto from = all.find("L = ") + 4;
  std::string name(all.substr(from, all.find_first_of(";]", from) - from));
  for (const std::string_view drop : {"rwkv::", "(anonymous namespace)::", "{anonymous}::", "<unnamed>::"})
    for (auto at = name.find(drop); at != name.npos; at = name.find(drop)) name.erase(at, drop.size());
  return name;
}
}  // namespace detail

inline std::string Report::text() const {
  if (!finding)
    return check + ": " + (laws.empty() ? "holds" : laws + " hold") + " in " + std::to_string(cases) + " cases";
  const Finding& f = *finding;
  std::string text =
      check + ": broken in case " + std::to_string(cases) + "\n  law       " + f.law + "\n  case      " + smallest;
  if (first != smallest) text += "\n  shrunk    from " + first;
  return text + "\n  place     " + f.place + "\n  expected  " + number_text(f.expected, 10) + "\n  found     " +
         number_text(f.found, 10) + "\n  allowed   a difference of " + number_text(f.allowed, 10);
}

}  // namespace rwkv::testing
