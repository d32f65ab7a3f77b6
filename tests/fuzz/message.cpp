#include <rwkv/core/error.hpp>
#include <rwkv/core/number_text.hpp>
#include <rwkv/core/utf8_check.hpp>

#include "expect.hpp"
#include "targets.hpp"

void fuzz::message(std::string_view input) {
  const std::string quoted = rwkv::in_quotes(input), whole = rwkv::Error(input, quoted).what();
  expect(quoted.size() <= 80 * 6 + 30, "a short text");
  for (const char c : whole)
    expect(static_cast<unsigned char>(c) >= 0x20 || c == '\n', "nothing that a terminal obeys");
  rwkv::utf8::check(whole);
  if (const auto x = rwkv::number_in(input))
    expect(rwkv::number_in(rwkv::number_text(*x, 17)) == x || *x != *x, "a number");
}
