#include <doctest/doctest.h>

#include <sstream>
#include <type_traits>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/layers/linear.hpp>
#include <rwkv/testing/laws.hpp>

using namespace rwkv;

namespace {

/// Takes true and false, and words, as GoogleTest's AssertionResult does.
class Assertion {
 public:
  template <class T>
  explicit Assertion(const T& holds, std::enable_if_t<!std::is_convertible_v<T, Assertion>>* = nullptr)
      : holds_(holds) {}
  Assertion& operator<<(const auto& words) {
    std::ostringstream text;
    text << words;
    said += text.str();
    return *this;
  }
  operator bool() const { return holds_; }
  std::string said;

 private:
  bool holds_;
};

using B = Cpu<double>;
struct Two {
  Tensor<B, 5> bias;
  Tensor<B, 3, 4> weight;
  static constexpr void fields(auto&& f, auto&&... p) {
    f(Field{"bias"}, p.bias...);
    f(Field{"weight"}, p.weight...);
  }
};

}  // namespace

TEST_CASE("a report is an assertion of a framework, with its words") {
  testing::Report report{"check_laws<Linear<2, 3>>", 7};
  report.laws = "gradients, bundles";
  CHECK(Assertion(report));
  CHECK(Assertion(report).said == "check_laws<Linear<2, 3>>: gradients, bundles hold in 7 cases");
  report.finding = testing::Finding{"gradients are derivatives", "weight[1, 2]", 1, 2, 0};
  CHECK(!Assertion(report));
  CHECK(Assertion(report).said.find("  place     weight[1, 2]\n") != std::string::npos);
}

TEST_CASE("a place in a tensor is said by its indices") {
  const Owned<B, Two> owned;
  const testing::BundleNumbers numbers{owned.download(), owned.leaves()};
  const auto weight = std::size_t(owned.leaves()[1].offset);
  CHECK(numbers.place(4) == "bias[4]");
  CHECK(numbers.place(weight) == "weight[0, 0]");
  CHECK(numbers.place(weight + 11) == "weight[2, 3]");
}
