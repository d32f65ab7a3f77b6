#include <doctest/doctest.h>

#include <rwkv/text/bytes.hpp>

#include "../../examples/tokenizer_fit.hpp"

using rwkv::Bytes;

TEST_CASE("a tokenizer that may not be the model's own is noted, unless the model's file names it") {
  const rwkv::Tokenizer bytes{Bytes()};
  CHECK(example::tokenizer_note(bytes, "a.pth", 256, {}).empty());
  CHECK(example::tokenizer_note(bytes, "a.pth", 512, {}).empty());  // filled up
  CHECK(example::tokenizer_note(bytes, "a.pth", 65536, {})
            .starts_with("a.pth: the tokenizer has 256 tokens, the model knows 65536: is it the model's own?"));
  CHECK(example::tokenizer_note(bytes, "a.pth", 65536, bytes.metadata()).empty());
  CHECK_THROWS_WITH(example::tokenizer_note(bytes, "a.pth", 255, {}),
                    "a.pth: the tokenizer has 256 tokens, the model knows 255; name its own by --tokenizer");
}
