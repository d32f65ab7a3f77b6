#pragma once
#include <doctest/doctest.h>

#include <rwkv/testing/report.hpp>

namespace rwkv::testing {

/// A report as one doctest check.
inline void expect(const Report& report) {
  const std::string text = report.text();
  CHECK_MESSAGE(static_cast<bool>(report), text);
}

}  // namespace rwkv::testing
