#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include <rwkv/core/config.hpp>

namespace rwkv::detail {

/// A Python object that a pickle made. Small, as a pickle makes one with every byte; what has parts has them in a
/// PickleHeap.
struct PickleValue {
  enum class Kind : std::uint8_t {
    none,
    boolean,
    integer,
    real,
    text,
    tuple,       // of the heap
    list,        // of the heap
    dictionary,  // of the heap: keys and values by turns
    global,      // what the pickle asked for by name: its number in the host's list
    made,        // by a call, whose arguments are a tuple of the heap
    outside,     // what lies elsewhere under a mark, which is a tuple of the heap
    opaque       // what nobody looks into
  };
  Kind kind = Kind::none;
  union {
    std::int64_t integer;  // booleans too
    double real;
    std::string_view text;  // bytes of the pickle
    std::size_t place;      // in the heap, or the host's number
  };

  PickleValue() : integer(0) {}  ///< None
  static PickleValue of_integer(std::int64_t n) {
    PickleValue v;
    v.kind = Kind::integer, v.integer = n;
    return v;
  }
  static PickleValue of_boolean(bool b) {
    PickleValue v;
    v.kind = Kind::boolean, v.integer = b;
    return v;
  }
  static PickleValue of_real(double x) {
    PickleValue v;
    v.kind = Kind::real, v.real = x;
    return v;
  }
  static PickleValue of_text(std::string_view text) {
    PickleValue v;
    v.kind = Kind::text, v.text = text;
    return v;
  }
  static PickleValue of(Kind kind, std::size_t place = 0) {
    PickleValue v;
    v.kind = kind, v.place = place;
    return v;
  }
  bool is(Kind k) const { return kind == k; }
};

/// What stands in messages.
[[gnu::cold]] inline std::string_view name_of(PickleValue::Kind kind) {
  constexpr std::string_view names[] = {
      "None",   "a boolean",    "an integer",          "a number", "a text",    "a tuple",
      "a list", "a dictionary", "a class or function", "a tensor", "a storage", "an object"};
  return names[std::size_t(kind)];
}

/// The parts of tuples, lists and dictionaries.
using PickleHeap = std::vector<std::vector<PickleValue>>;

}  // namespace rwkv::detail
