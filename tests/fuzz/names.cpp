#include <rwkv/registry/find_net.hpp>
#include <rwkv/registry/machine.hpp>

#include "../../examples/evaluate/next_token.hpp"
#include "expect.hpp"
#include "targets.hpp"

namespace {
/// So that there is one, of which nothing but its sizes is compiled.
const rwkv::RegisteredNet& listed() {
  using Net = rwkv::v4::Model<8, 4, 1>;
  static const rwkv::RegisteredNet net{
      "v4::Model<8, 4, 1>",
      &rwkv::v4::family,
      8,
      0,
      0,
      0,
      [] { return rwkv::list_leaves<rwkv::Cpu<float>, typename Net::template Params<rwkv::Cpu<float>>>(); },
      nullptr,
      nullptr};
  if (rwkv::registered_nets().empty()) rwkv::detail::registry().push_back(&net);
  return net;
}
}  // namespace

/// "rwkv4 384x6", or a device and a precision, or tokens as "3,17,4".
void fuzz::names(std::string_view input) {
  const std::size_t blank = std::min(input.find(' '), input.size());
  const std::string word(input.substr(0, blank)), second(input.substr(std::min(blank + 1, input.size())));
  if (const auto size = rwkv::size_in(second)) {
    expect(size->width > 0 && size->layers > 0, "sizes from 1");
    expect(rwkv::size_text(*size) == second, "a size says what it was read from");
  }
  try {
    rwkv::Machine::named(word, second);
  } catch (const rwkv::Error&) {
  }
  try {
    std::string again;
    for (const std::int32_t id : example::token_list(word)) again += std::to_string(id) + ",";
    expect(again.size() <= word.size() + 1, "the tokens that the text lists");
  } catch (const rwkv::Error&) {
  }
  static const rwkv::RegisteredNet& net = listed();
  for (const rwkv::Family* family : rwkv::families) {
    rwkv::NetQuery query{word == "any" ? family->name : word, second, rwkv::dim_t(input.size() % 16)};
    try {
      expect(&rwkv::find_net(query) == &net && second == "4x1", "the net that was asked for");
    } catch (const rwkv::Error& error) {
      expect(std::string_view(error.what()).size() < 2000, "a short message");
    }
  }
}
