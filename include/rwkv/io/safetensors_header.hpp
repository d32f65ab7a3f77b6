#pragma once
#include <set>
#include <utility>

#include <rwkv/core/quoted.hpp>
#include <rwkv/io/json_events.hpp>
#include <rwkv/io/tensor_info.hpp>

namespace rwkv {

/// What the JSON at the head of a safetensors file says, tensors in the order of their data.
struct SafetensorsHeader {
  std::vector<TensorInfo> tensors;
  Metadata metadata;
};

namespace detail {

/// Takes the header's pieces one by one; whatever a header may not contain is refused where it stands, with the reason
/// in `complaint`, so no nesting and no size is ever followed further than the format goes.
class HeaderEvents {
 public:
  explicit HeaderEvents(SafetensorsHeader& header) : header_(header) {}
  std::string complaint;

  bool null() { return skipped(0) || (at_ == At::root && key_ == "__metadata__") || unexpected("null"); }
  bool boolean() { return skipped(0) || unexpected("a boolean"); }
  bool negative_number() { return skipped(0) || unexpected("a negative number"); }
  bool odd_number(std::string_view text) { return skipped(0) || unexpected("the number " + shown(text)); }
  bool number(std::uint64_t n) {
    if (skipped(0)) return true;
    if (at_ == At::shape) {
      if (n > std::uint64_t(PTRDIFF_MAX)) return fail("has an extent beyond 63 bits");
      if (tensor_.shape.size() == most_extents) return fail("has more than 64 extents");
      tensor_.shape.push_back(dim_t(n));
      return true;
    }
    if (at_ != At::offsets) return unexpected("a number");
    if (offsets_ == 2) return fail("data_offsets: expected two numbers, found more");
    (offsets_++ == 0 ? tensor_.begin : tensor_.end) = n;
    return true;
  }
  bool string(std::string&& text) {
    if (skipped(0)) return true;
    if (at_ == At::metadata) {
      header_.metadata[key_] = std::move(text);
      return true;
    }
    if (at_ != At::tensor || key_ != "dtype") return unexpected("a string");
    tensor_.dtype = dtype_named(text).value_or(Dtype::other);
    if (tensor_.dtype == Dtype::other) tensor_.other = std::move(text);
    return true;
  }
  bool begin_object() {
    if (skipped(1)) return true;
    if (at_ == At::start) return go(At::root);
    if (at_ != At::root) return unexpected("an object");
    tensor_ = {}, tensor_.name = key_;
    found_[0] = found_[1] = found_[2] = false, offsets_ = 0;
    return go(key_ == "__metadata__" ? At::metadata : At::tensor);
  }
  bool begin_array() {
    if (skipped(1)) return true;
    if (at_ != At::tensor || key_ == "dtype") return unexpected("an array");
    return go(key_ == "shape" ? At::shape : At::offsets);
  }
  bool end_array() {
    if (skipped(-1)) return true;
    if (at_ == At::offsets && offsets_ != 2) return fail("data_offsets: expected two numbers, found fewer");
    return go(At::tensor);
  }
  bool key(std::string&& key) {
    if (at_ == At::unknown) return true;
    key_ = std::move(key);
    if (at_ == At::root && !names_.insert(key_).second) return fail(in_quotes(key_) + " occurs twice");
    if (at_ == At::metadata && header_.metadata.contains(key_)) return fail("key " + in_quotes(key_) + " occurs twice");
    if (at_ != At::tensor) return true;
    for (int i = 0; i < 3; ++i)
      if (key_ == fields[i]) return std::exchange(found_[i], true) ? fail(key_ + " occurs twice") : true;
    return go(At::unknown);  // a field of another version: the format's own readers pass over it
  }
  bool end_object() {
    if (skipped(-1)) return true;
    if (at_ == At::tensor) {
      for (int i = 0; i < 3; ++i)
        if (!found_[i]) return fail(fields[i] + std::string(" is missing"));
      header_.tensors.push_back(std::move(tensor_));
    }
    return go(At::root);
  }

 private:
  enum class At { start, root, metadata, tensor, shape, offsets, unknown };
  static constexpr std::size_t most_extents = 64;  // of NumPy and PyTorch
  static constexpr const char* fields[] = {"dtype", "shape", "data_offsets"};

  /// Whether this piece, after which we are so much deeper, belongs to a field that we do not know.
  bool skipped(int deeper) {
    if (at_ != At::unknown) return false;
    if ((depth_ += deeper) == 0) at_ = At::tensor;
    return true;
  }
  bool go(At at) {
    at_ = at;
    return true;
  }
  [[gnu::cold]] bool fail(const std::string& why) {
    if (at_ == At::metadata)
      complaint = "__metadata__: " + why;
    else if (at_ == At::start || at_ == At::root)
      complaint = "the header: " + why;
    else
      complaint = "tensor " + in_quotes(tensor_.name) + ": " + why;
    return false;
  }
  [[gnu::cold]] bool unexpected(const std::string& found) {
    if (at_ == At::start) return fail("expected an object, found " + found);
    if (at_ == At::root) return fail(in_quotes(key_) + ": expected an object, found " + found);
    if (at_ == At::metadata) return fail(in_quotes(key_) + ": expected a string, found " + found);
    const bool text = key_ == "dtype";
    const char* expected = at_ != At::tensor ? "whole numbers from 0" : text ? "a string" : "an array";
    return fail(key_ + ": expected " + expected + ", found " + found);
  }

  SafetensorsHeader& header_;
  At at_ = At::start;
  std::string key_;
  TensorInfo tensor_;
  int offsets_ = 0, depth_ = 0;
  bool found_[3] = {};  // of fields
  std::set<std::string> names_;
};

}  // namespace detail

/// Reads a header into `header`, which is to be empty, and checks it against the `data` bytes that follow it: shapes
/// fill their bytes, where we know the dtype, and tensors fill the data from end to end without gap or overlap. Returns
/// what is wrong, or nothing.
[[gnu::cold]] inline std::string parse_safetensors_header(std::string_view text, std::uint64_t data,
                                                          SafetensorsHeader& header) {
  constexpr std::size_t longest = 100'000'000;
  if (text.size() > longest) return "the header has " + std::to_string(text.size()) + " bytes, more than 100 MB";
  if (text.empty() || text[0] != '{') return "the header is not JSON: it does not begin with {";
  detail::HeaderEvents events(header);
  if (const std::size_t byte = detail::JsonReader(text, events).read())
    return "the header is not JSON: error at its byte " + std::to_string(byte);
  if (!events.complaint.empty()) return events.complaint;

  detail::sort_by_place(header.tensors);
  std::uint64_t used = 0;
  for (const TensorInfo& t : header.tensors) {
    const std::string tensor = "tensor " + in_quotes(t.name) + ": ";
    const std::string range = "bytes " + std::to_string(t.begin) + " to " + std::to_string(t.end);
    const auto size = byte_size(t.dtype, t.shape);
    if (!size && bits_of(t.dtype) % 8 == 0) return tensor + "shape " + shape_text(t.shape) + " is too large to count";
    if (!size) return tensor + describe(t.dtype, t.shape) + " does not fill whole bytes";
    if (t.end < t.begin) return tensor + range + " run backwards";
    if (t.end > data) return tensor + range + " reach beyond the " + std::to_string(data) + " bytes of data";
    if (t.end - t.begin != *size && t.dtype != Dtype::other)
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
