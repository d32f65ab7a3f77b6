#pragma once
#include <map>
#include <string>

#include <rwkv/core/quoted.hpp>
#include <rwkv/io/json_events.hpp>

namespace rwkv::detail {

/// Takes the pieces of an index of shards, as model.safetensors.index.json, one by one: an object whose "weight_map"
/// says for each tensor in which file of the same folder it is. What stands beside that is passed over. What may not
/// stand there ends the reading, with the reason in `complaint`.
class IndexEvents {
 public:
  std::map<std::string, std::string> shard_of;  ///< by the tensor's name
  std::string complaint;

  bool null() { return other("null"); }
  bool boolean() { return other("a boolean"); }
  bool number(std::uint64_t) { return other("a number"); }
  bool negative_number() { return other("a number"); }
  bool odd_number(std::string_view) { return other("a number"); }
  bool begin_array() { return other("an array") && ++depth_ > 0; }
  bool end_array() {
    --depth_;
    return true;
  }
  bool begin_object() {
    if (depth_ == 1 && key_ == weight_map)
      in_map_ = true;
    else if (in_map_)
      return other("an object");
    return ++depth_ > 0;
  }
  bool end_object() {
    if (--depth_ == 1) in_map_ = false;
    return true;
  }
  bool key(std::string&& key) {
    if (depth_ > 1 && !in_map_) return true;
    key_ = std::move(key);
    if (!in_map_ && key_ == weight_map && std::exchange(found_, true)) return fail("weight_map occurs twice");
    return true;
  }
  bool string(std::string&& text) {
    if (!in_map_) return other("a text");
    if (text.empty() || text == "." || text == ".." || text.find_first_of(std::string_view("/\\\0", 3)) != text.npos)
      return fail(in_quotes(key_) + ": expected the name of a file in the same folder, found " + in_quotes(text));
    if (!shard_of.emplace(key_, std::move(text)).second) return fail(in_quotes(key_) + " occurs twice");
    return true;
  }

 private:
  static constexpr std::string_view weight_map = "weight_map";

  bool fail(const std::string& why) {
    complaint = why;
    return false;
  }
  bool other(const char* found) {
    if (in_map_) return fail(in_quotes(key_) + ": expected the name of a file, found " + found);
    if (depth_ <= 1 && key_ == weight_map) return fail(std::string("weight_map: expected an object, found ") + found);
    return true;
  }

  std::string key_;  // of the outer object, or of the map
  int depth_ = 0;
  bool in_map_ = false, found_ = false;
};

}  // namespace rwkv::detail
