#pragma once
#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include <rwkv/io/tensor_info.hpp>

namespace rwkv {

/// What the JSON at the head of a safetensors file says, tensors in the order of their data.
struct SafetensorsHeader {
  std::vector<TensorInfo> tensors;
  Metadata metadata;
};

namespace detail {

/// Takes the parser's events one by one; whatever a header may not contain is refused where it stands, so no nesting
/// and no size is ever followed further than the format goes. An event returns false to stop, with the reason in
/// `complaint`.
class HeaderEvents {
 public:
  using Json = nlohmann::json;
  explicit HeaderEvents(SafetensorsHeader& header) : header_(header) {}
  std::string complaint;

  bool null() { return unexpected("null"); }
  bool boolean(bool) { return unexpected("a boolean"); }
  bool number_integer(Json::number_integer_t) { return unexpected("a negative number"); }
  bool number_float(Json::number_float_t, const std::string& text) {
    return unexpected("the number " + shortened(text));
  }
  bool binary(Json::binary_t&) { return unexpected("binary data"); }
  bool number_unsigned(Json::number_unsigned_t n) {
    if (at_ == At::shape) {
      if (n > std::uint64_t(PTRDIFF_MAX)) return fail("has an extent beyond 63 bits");
      if (tensor_.shape.size() == most_extents) return fail("has more than 32 extents");
      tensor_.shape.push_back(dim_t(n));
      return true;
    }
    if (at_ != At::offsets) return unexpected("a number");
    if (offsets_ == 2) return fail("data_offsets: expected two numbers, found more");
    (offsets_++ == 0 ? tensor_.begin : tensor_.end) = n;
    return true;
  }
  bool string(Json::string_t& text) {
    if (at_ == At::metadata) {
      header_.metadata[key_] = std::move(text);
      return true;
    }
    if (at_ != At::tensor || key_ != "dtype") return unexpected("a string");
    const auto dtype = dtype_named(text);
    if (!dtype) return fail("unknown dtype " + shortened(text));
    tensor_.dtype = *dtype;
    return true;
  }
  bool start_object(std::size_t) {
    if (at_ == At::start) return go(At::root);
    if (at_ != At::root) return unexpected("an object");
    tensor_ = {}, tensor_.name = key_;
    fields_.clear(), offsets_ = 0;
    return go(key_ == "__metadata__" ? At::metadata : At::tensor);
  }
  bool start_array(std::size_t) {
    if (at_ != At::tensor || key_ == "dtype") return unexpected("an array");
    return go(key_ == "shape" ? At::shape : At::offsets);
  }
  bool end_array() {
    if (at_ == At::offsets && offsets_ != 2) return fail("data_offsets: expected two numbers, found fewer");
    return go(At::tensor);
  }
  bool key(Json::string_t& key) {
    key_ = std::move(key);
    if (at_ == At::root && !names_.insert(key_).second) return fail(quote(key_) + " occurs twice");
    if (at_ == At::metadata && header_.metadata.contains(key_)) return fail("key " + quote(key_) + " occurs twice");
    if (at_ != At::tensor) return true;
    if (key_ != "dtype" && key_ != "shape" && key_ != "data_offsets") return fail("unknown field " + quote(key_));
    return fields_.insert(key_).second || fail(key_ + " occurs twice");
  }
  bool end_object() {
    if (at_ == At::tensor) {
      for (const char* field : {"dtype", "shape", "data_offsets"})
        if (!fields_.contains(field)) return fail(std::string(field) + " is missing");
      header_.tensors.push_back(std::move(tensor_));
    }
    return go(At::root);
  }
  bool parse_error(std::size_t byte, const std::string&, const Json::exception&) {
    complaint = "the header is not JSON: error at its byte " + std::to_string(byte);
    return false;
  }

  /// At most 100 bytes: a hostile name may be as long as the file.
  static std::string shortened(std::string_view text) {
    return text.size() <= 100 ? std::string(text) : std::string(text.substr(0, 97)) + "...";
  }
  static std::string quote(std::string_view text) { return json_string(shortened(text)); }

 private:
  enum class At { start, root, metadata, tensor, shape, offsets };
  static constexpr std::size_t most_extents = 32;

  bool go(At at) {
    at_ = at;
    return true;
  }
  bool fail(const std::string& why) {
    if (at_ == At::metadata)
      complaint = "__metadata__: " + why;
    else if (at_ == At::start || at_ == At::root)
      complaint = "the header: " + why;
    else
      complaint = "tensor " + quote(tensor_.name) + ": " + why;
    return false;
  }
  bool unexpected(const std::string& found) {
    if (at_ == At::start) return fail("expected an object, found " + found);
    if (at_ == At::root) return fail(quote(key_) + ": expected an object, found " + found);
    if (at_ == At::metadata) return fail(quote(key_) + ": expected a string, found " + found);
    const bool text = key_ == "dtype";
    const char* expected = at_ != At::tensor ? "whole numbers from 0" : text ? "a string" : "an array";
    return fail(key_ + ": expected " + expected + ", found " + found);
  }

  SafetensorsHeader& header_;
  At at_ = At::start;
  std::string key_;
  TensorInfo tensor_;
  int offsets_ = 0;
  std::set<std::string> names_, fields_;
};

}  // namespace detail

/// Reads a header into `header`, which is to be empty, and checks it against the `data` bytes that follow it: shapes
/// fill their bytes, and tensors fill the data from end to end without gap or overlap. Returns what is wrong, or
/// nothing.
inline std::string parse_safetensors_header(std::string_view text, std::uint64_t data, SafetensorsHeader& header) {
  constexpr std::size_t longest = 100'000'000;
  if (text.size() > longest) return "the header has " + std::to_string(text.size()) + " bytes, more than 100 MB";
  if (text.empty() || text[0] != '{') return "the header is not JSON: it does not begin with {";
  if (const auto zero = text.find('\0'); zero != text.npos)  // where the parser would stop without a complaint
    return "the header is not JSON: error at its byte " + std::to_string(zero + 1);
  detail::HeaderEvents events(header);
  if (!nlohmann::json::sax_parse(text.data(), text.data() + text.size(), &events)) return events.complaint;

  std::sort(header.tensors.begin(), header.tensors.end(), [](const TensorInfo& a, const TensorInfo& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  std::uint64_t used = 0;
  for (const TensorInfo& t : header.tensors) {
    const std::string tensor = "tensor " + events.quote(t.name) + ": ";
    const std::string range = "bytes " + std::to_string(t.begin) + " to " + std::to_string(t.end);
    const auto size = byte_size(t.dtype, t.shape);
    if (!size) return tensor + "shape " + shape_text(t.shape) + " is too large to count";
    if (t.end < t.begin) return tensor + range + " run backwards";
    if (t.end > data) return tensor + range + " reach beyond the " + std::to_string(data) + " bytes of data";
    if (t.end - t.begin != *size)
      return tensor + std::string(name_of(t.dtype)) + " " + shape_text(t.shape) + " takes " + std::to_string(*size) +
             " bytes, but has " + std::to_string(t.end - t.begin);
    if (t.begin < used) return tensor + range + " overlap the tensor before it, which ends at " + std::to_string(used);
    if (t.begin > used) return tensor + range + " leave a gap after byte " + std::to_string(used);
    used = t.end;
  }
  if (used != data) return "the data has " + std::to_string(data - used) + " bytes after the last tensor";
  return {};
}

}  // namespace rwkv
