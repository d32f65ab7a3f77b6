#include <cmath>
#include <cstdio>
#include <limits>

#include <rwkv/core/error.hpp>
#include <rwkv/core/number_text.hpp>
#include <rwkv/drawing/chart.hpp>

#include "decimal_comma.hpp"

using namespace rwkv;

namespace {
std::string printed(const char* format, int digits, double x) {
  char text[400];
  std::snprintf(text, sizeof text, format, digits, x);
  return text;
}
}  // namespace

TEST_CASE("numbers are written as printf writes them") {
  for (const double x : {0.0, -0.0, 0.1, 1.0, 2.857e-05, 123456789.0, 1e9, 1e300, -1.7976931348623157e308, 5e-324})
    for (const int digits : {0, 1, 3, 4, 9}) {
      CHECK(number_text(x, digits) == printed("%.*g", digits, x));
      CHECK(fixed_text(x, digits) == printed("%.*f", digits, x));
    }
  CHECK(number_text(std::nan("")) == "nan");
  CHECK(number_text(-HUGE_VAL) == "-inf");
  CHECK(fixed_text(1, 1000).size() == 102);
}

TEST_CASE("a number is read from the whole text, or not at all") {
  CHECK(number_in("2.857e-05") == 2.857e-05);
  CHECK(number_in("-3") == -3);
  CHECK(std::isnan(number_in("nan").value()));
  for (const char* other : {"", " 1", "1 ", "1,5", "+1", "0x10", "1e999", "1e-999", "one"}) {
    CAPTURE(other);
    CHECK(!number_in(other));
  }
  for (const double x : {0.1, 1 / 3.0, 5e-324, std::numeric_limits<double>::max()})
    CHECK(number_in(number_text(x, 17)) == x);
}

TEST_CASE("a locale of decimal commas changes no number: texts, messages, drawings") {
  const auto drawn = [] {
    const drawing::Series line{"line", "#000", {{1, 0.5}, {2.5, 1.25}}};
    return drawing::svg({{"title", "across", "up", {line}}}, "words");
  };
  const std::string drawing_before = drawn();
  const test::DecimalComma comma;
  CHECK(number_text(1234.5) == "1234.5");
  CHECK(fixed_text(1234.5, 2) == "1234.50");
  CHECK(number_in("1234.5") == 1234.5);
  CHECK(!number_in("1234,5"));
  CHECK(std::string(Error("found ", 0.5, " and ", 1.5f).what()) == "found 0.5 and 1.5");
  CHECK(drawing::short_value(1500) == "1.5k");
  CHECK(drawn() == drawing_before);
}
