#pragma once
#include <bit>

#include <rwkv/io/pickle_stack.hpp>

namespace rwkv::detail {

/// What a pickle may ask of the world around it.
class PickleHost {
 public:
  /// The value of a name of a module: Error unless that is harmless and known.
  virtual PickleValue global(std::string_view module, std::string_view name) = 0;
  virtual PickleValue call(const PickleValue& function, const PickleValue& arguments, PickleHeap& heap) = 0;
  /// What lies outside of the pickle under that mark.
  virtual PickleValue outside(const PickleValue& mark, PickleHeap& heap) = 0;

 protected:
  ~PickleHost() = default;
};

/// The stack machine of Python's pickle (pickletools documents it), with as many of its operations as dictionaries of
/// tensors take in protocols 2 to 5. It runs nothing: names and calls are its host's matter, and a state that is given
/// to an object is passed over.
class PickleMachine {
 public:
  PickleMachine(ByteReader pickle, PickleHost& host) : pickle_(std::move(pickle)), host_(host), stack_(pickle_) {}
  PickleMachine(const PickleMachine&) = delete;
  PickleMachine& operator=(const PickleMachine&) = delete;

  /// The object that the pickle makes. Its texts are bytes of the pickle.
  [[gnu::cold]] PickleValue run() {
    while (!step(static_cast<unsigned char>(number<char>()))) continue;
    return stack_.pop();
  }
  PickleHeap heap;

 private:
  using Kind = PickleValue::Kind;

  template <class T>
  T number() {
    return pickle_.number<T>(PickleStack::place);
  }
  template <class... Pieces>
  [[noreturn]] [[gnu::cold]] void refuse(const Pieces&... why) const {
    pickle_.refuse(PickleStack::place, ": byte ", pickle_.at() - 1, ": ", why...);
  }

  /// Does one operation; true at the last one.
  bool step(unsigned char operation) {
    if (operation == '.') return true;
    if (!structure(operation) && !number_or_text(operation))
      refuse("operation ", unsigned(operation), " is none that dictionaries of tensors need");
    return false;
  }
  bool number_or_text(unsigned char operation) {
    // clang-format off
    switch (operation) {
      case 'N': push({}); return true;
      case 0x88: push(PickleValue::of_boolean(true)); return true;
      case 0x89: push(PickleValue::of_boolean(false)); return true;
      case 'K': push(PickleValue::of_integer(number<std::uint8_t>())); return true;
      case 'M': push(PickleValue::of_integer(number<std::uint16_t>())); return true;
      case 'J': push(PickleValue::of_integer(number<std::int32_t>())); return true;
      case 0x8A: push_long(number<std::uint8_t>()); return true;
      case 'G': push(PickleValue::of_real(std::bit_cast<double>(__builtin_bswap64(number<std::uint64_t>())))); return true;
      case 0x8C: push_text(number<std::uint8_t>()); return true;
      case 'X': push_text(number<std::uint32_t>()); return true;
      case 0x8D: push_text(number<std::uint64_t>()); return true;
      case 'C': push_bytes(number<std::uint8_t>()); return true;
      case 'B': push_bytes(number<std::uint32_t>()); return true;
      case 0x8E: case 0x96: push_bytes(number<std::uint64_t>()); return true;
      default: return false;
    }
    // clang-format on
  }
  bool structure(unsigned char operation) {
    // clang-format off
    switch (operation) {
      case 0x80: protocol(number<std::uint8_t>()); return true;
      case 0x95: number<std::uint64_t>(); return true;  // a frame of so many bytes
      case '(': stack_.mark(); return true;
      case ')': push_parts(Kind::tuple, 0); return true;
      case 0x85: push_parts(Kind::tuple, 1); return true;
      case 0x86: push_parts(Kind::tuple, 2); return true;
      case 0x87: push_parts(Kind::tuple, 3); return true;
      case 't': push_parts(Kind::tuple, stack_.marked()); return true;
      case ']': push_parts(Kind::list, 0); return true;
      case 'a': add(Kind::list, 1); return true;
      case 'e': add(Kind::list, stack_.marked()); return true;
      case '}': push_parts(Kind::dictionary, 0); return true;
      case 's': add(Kind::dictionary, 2); return true;
      case 'u': add(Kind::dictionary, stack_.marked()); return true;
      case 0x8F: push(PickleValue::of(Kind::opaque)); return true;  // a set
      case 0x90: add_to_set(stack_.marked()); return true;
      case 0x91: stack_.drop(stack_.marked()), push(PickleValue::of(Kind::opaque)); return true;  // a set
      case 'q': stack_.keep(number<std::uint8_t>()); return true;
      case 'r': stack_.keep(number<std::uint32_t>()); return true;
      case 0x94: stack_.keep_next(); return true;
      case 'h': push(stack_.kept(number<std::uint8_t>())); return true;
      case 'j': push(stack_.kept(number<std::uint32_t>())); return true;
      case 'c': push_global(); return true;
      case 0x93: push_global_of_stack(); return true;
      case 'R': call(); return true;
      case 'b': stack_.pop(); return true;  // a state
      case 'Q': push(host_.outside(stack_.pop(), heap)); return true;
      default: return false;
    }
    // clang-format on
  }

  void protocol(std::uint8_t version) const {
    if (version < 2 || version > 5) refuse("expected a pickle of protocol 2 to 5, found ", unsigned(version));
  }
  /// An integer of so many bytes, which nobody looks into where it is longer than ours.
  void push_long(std::uint8_t size) {
    std::uint64_t n = 0;
    if (size > sizeof n) return push_bytes(size);
    const auto bytes = pickle_.take(size, PickleStack::place);
    if (size > 0) std::memcpy(&n, bytes.data(), size);
    const int unused = size > 0 ? 8 * int(sizeof n - size) : 0;
    push(PickleValue::of_integer(std::int64_t(n << unused) >> unused));  // with the sign of its last byte
  }
  void push(const PickleValue& value) { stack_.push(value); }
  void push_text(std::uint64_t size) { push(PickleValue::of_text(pickle_.text(size, PickleStack::place))); }
  void push_bytes(std::uint64_t size) {
    pickle_.take(size, PickleStack::place);
    push(PickleValue::of(Kind::opaque));
  }
  /// The last values become the parts of one.
  void push_parts(Kind kind, std::size_t count) {
    const auto parts = stack_.last(count);
    heap.emplace_back(parts.begin(), parts.end());
    stack_.drop(count);
    push(PickleValue::of(kind, heap.size() - 1));
  }
  /// The last values are added to the list or dictionary under them.
  void add(Kind kind, std::size_t count) {
    const PickleValue to = stack_.last(count + 1)[0];
    if (!to.is(kind)) refuse("expected ", name_of(kind), " to add to, found ", name_of(to.kind));
    if (kind == Kind::dictionary && count % 2 != 0) refuse("a dictionary is given a key without a value");
    const auto parts = stack_.last(count);
    heap[to.place].insert(heap[to.place].end(), parts.begin(), parts.end());
    stack_.drop(count);
  }
  /// Sets are passed over, with what is in them.
  void add_to_set(std::size_t count) {
    const PickleValue to = stack_.last(count + 1)[0];
    if (!to.is(Kind::opaque)) refuse("expected a set to add to, found ", name_of(to.kind));
    stack_.drop(count);
  }
  std::string_view line() {
    const std::string_view rest = pickle_.text(pickle_.left(), PickleStack::place);
    const std::size_t size = std::min(rest.find('\n'), rest.size());
    pickle_.go_to(pickle_.at() - rest.size() + std::min(size + 1, rest.size()));
    return rest.substr(0, size);
  }
  void push_global() {
    const std::string_view module = line();
    push(host_.global(module, line()));
  }
  void push_global_of_stack() {
    const PickleValue name = stack_.pop(), module = stack_.pop();
    if (!name.is(Kind::text) || !module.is(Kind::text)) refuse("expected a module and a name, found others");
    push(host_.global(module.text, name.text));
  }
  void call() {
    const PickleValue arguments = stack_.pop(), function = stack_.pop();
    if (!function.is(Kind::global) || !arguments.is(Kind::tuple)) refuse("expected a call, found others");
    push(host_.call(function, arguments, heap));
  }

  ByteReader pickle_;
  PickleHost& host_;
  PickleStack stack_;
};

}  // namespace rwkv::detail
