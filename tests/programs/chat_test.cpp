#include <doctest/doctest.h>

#include <rwkv/models/v4.hpp>
#include <rwkv/text/bytes.hpp>

#include "../../examples/chat/chat_session.hpp"

using namespace rwkv;
using example::ChatSession;
using example::ChatTemplate;
using Think = ChatTemplate::Think;

TEST_CASE("rounds have the form that official models were trained with") {
  CHECK(ChatTemplate{}.round(" hi \n\n\r\nthere\t") == "User: hi \nthere\n\nAssistant:");
  CHECK(ChatTemplate{Think::on}.round("hi") == "User: hi\n\nAssistant: <think");
  CHECK(ChatTemplate{Think::a_bit}.round("hi") == "User: hi think a bit\n\nAssistant: <think");
  CHECK(ChatTemplate{Think::a_lot}.round("hi") == "User: hi think a lot\n\nAssistant: <think");
  CHECK(ChatTemplate{Think::skipped}.round("hi") == "User: hi\n\nAssistant: <think>\n</think");
  CHECK(ChatTemplate::system("Be\n\nbrief. ") == "System: Be\nbrief.\n\n");
  CHECK(ChatTemplate::answered(" yes\n \n") == " yes\n\n");
  CHECK(ChatTemplate::answered("\n") == "\n\n");
  CHECK(ChatTemplate::tidy(" \n") == "");
}

TEST_CASE("what a model remembers of a round is what was shown of it, however it ended") {
  using Net = v4::Model<256, 16, 2>;
  Model<Net> model(1);
  for (dim_t i = 0; i < model.params.size(); ++i)
    model.params.data()[i] += float(0.2 * Random{5}.normals(std::uint64_t(i))[0]);
  const auto sampled = [&](ChatSession::Settings settings, std::uint64_t seed, const std::string& before) {
    Generator generator(model);
    if (!before.empty()) generator.prefill(before);
    return ChatSession(std::move(generator), {.seed = seed}, std::move(settings));
  };
  const auto say = [](ChatSession& chat, const std::string& text) {
    std::string all;
    chat.say(text, [&](std::string_view piece) { all += piece; });
    CHECK(all.starts_with("Assistant:"));
    CHECK(all.ends_with("\n\n"));
    return all;
  };
  for (const bool by_stop : {false, true}) {
    ChatSession::Settings settings{.tokens = 12};
    if (by_stop) settings.tokens = 5000, settings.stops = {"a", "k"};
    ChatSession chat = sampled(settings, 3, "");
    const std::string first = say(chat, "hi");
    const std::string shown = first.substr(0, first.size() - 2);
    ChatSession other = sampled(settings, 4, "User: hi\n\n" + ChatTemplate::answered(shown));
    CHECK(say(chat, "more") == say(other, "more"));  // its second round draws as the other's first
    std::string again;
    CHECK(chat.say_again([&](std::string_view piece) { again += piece; }));
    chat.reset();
    CHECK(!chat.say_again([](std::string_view) {}));
    CHECK(say(chat, "hi") == first);
  }
}
