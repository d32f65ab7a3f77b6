#pragma once
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rwkv/core/error.hpp>
#include <rwkv/io/json_events.hpp>

namespace rwkv::detail {

/// A value in JSON; of an object or an array only that it begins.
struct JsonValue {
  enum class Kind : std::uint8_t { null, boolean, number, other_number, string, object, array } kind = Kind::null;
  std::uint64_t number = 0;  ///< of a whole number from 0; 1 for true
  std::string text = {};     ///< of a string

  bool is(Kind one) const { return kind == one; }
  bool is_string(std::string_view one) const { return kind == Kind::string && text == one; }
  /// For messages.
  [[gnu::cold]] std::string words() const {
    switch (kind) {
      case Kind::null:
        return "null";
      case Kind::boolean:
        return number != 0 ? "true" : "false";
      case Kind::number:
        return std::to_string(number);
      case Kind::other_number:
        return "another number";
      case Kind::string:
        return in_quotes(text);
      case Kind::object:
        return "an object";
      case Kind::array:
        return "an array";
    }
    return {};
  }
};

/// Calls take(path, value) for every value of a JSON text, where path are the keys that lead to it, an empty one for an
/// element of an array; `take` throws for what it cannot use, and may return false when it has seen enough.
template <class Take>
class JsonWalk {
 public:
  explicit JsonWalk(Take& take) : take_(take) {}

  bool null() { return give({}); }
  bool boolean(bool value) { return give({JsonValue::Kind::boolean, value}); }
  bool number(std::uint64_t n) { return give({JsonValue::Kind::number, n}); }
  bool negative_number() { return give({JsonValue::Kind::other_number}); }
  bool odd_number(std::string_view) { return give({JsonValue::Kind::other_number}); }
  bool string(std::string&& text) { return give({JsonValue::Kind::string, 0, std::move(text)}); }
  bool begin_object() { return begin(JsonValue::Kind::object); }
  bool begin_array() { return begin(JsonValue::Kind::array); }
  bool end_object() { return path_.pop_back(), true; }
  bool end_array() { return path_.pop_back(), true; }
  bool key(std::string&& key) { return path_.back() = std::move(key), true; }

 private:
  bool give(JsonValue&& value) {
    const std::span<const std::string> path(path_);
    if constexpr (std::same_as<decltype(take_(path, std::move(value))), bool>)
      return take_(path, std::move(value));
    else
      return take_(path, std::move(value)), true;
  }
  bool begin(JsonValue::Kind kind) {
    if (!give({kind})) return false;
    path_.emplace_back();
    return true;
  }

  Take& take_;
  std::vector<std::string> path_;
};

/// The values of a JSON text; Error, with the byte, if it is none.
template <class Take>
void walk_json(std::string_view text, const std::string& name, Take&& take) {
  JsonWalk walk(take);
  if (const std::size_t byte = JsonReader(text, walk).read())
    throw Error(name, ": expected JSON, found what is none at byte ", byte, "; download or write the file again");
}

}  // namespace rwkv::detail
