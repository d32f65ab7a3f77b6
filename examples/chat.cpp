// Talks with a model: each line is said to it, and its answer printed.
#include <unistd.h>

#include <iostream>

#include "chat/chat_session.hpp"
#include "checked_output.hpp"
#include "model_options.hpp"
#include "prompt.hpp"
#include "sampler_options.hpp"
using namespace rwkv;
using namespace example;

namespace {

constexpr const char* help =
    "/again  the last answer once more, with other draws\n"
    "/reset  forget all that was said\n"
    "/help   this list; /quit or the end of the input leaves\n";

/// Until the input ends.
void talk(ChatSession& chat) {
  const bool watched = ::isatty(0) != 0;
  for (std::string line; (watched ? print("User: ") : void()), std::getline(std::cin, line);) {
    const std::string text = ChatTemplate::tidy(line);
    if (text == "/quit") return;
    if (text == "/reset") {
      chat.reset();
    } else if (text == "/again") {
      if (!chat.say_again(print)) print("nothing was said yet\n");
    } else if (text.starts_with('/')) {
      print(help);
    } else if (const std::string why = chat.refusal(text); !why.empty()) {
      std::fprintf(stderr, "chat: %s\n", why.c_str());  // and the conversation goes on
    } else if (!text.empty()) {
      chat.say(text, print);
    }
  }
  if (std::ferror(stdin) != 0) throw Error("cannot read the input");
  if (watched) print("\n");
}

}  // namespace

int main(int argc, char** argv) {
  ModelOptions o;
  SamplerOptions sampler{{.temperature = 1, .top_p = 0.3, .presence = 0.5, .frequency = 0.5}};
  ChatSession::Settings settings;
  std::string think = "off";
  CLI::App app("Talks with a model: says each line of the input to it, and prints its answer.", "chat");
  app.option_defaults()->always_capture_default();
  o.add(app);
  app.add_option("--system", settings.system, "said to the model before all else");
  app.add_option("--think", think, "whether it thinks first, as G1 models can: off, on, a-bit, a-lot or skipped")
      ->check(one_of({"off", "on", "a-bit", "a-lot", "skipped"}));
  app.add_option("--stop", settings.stops,
                 "text that ends an answer, may be given several times; by default an empty line, "
                 "or the next \"User:\" after thoughts");
  app.add_option("--tokens", settings.tokens, "the most of an answer")->check(at_least(dim_t{1}));
  sampler.add(app);
  return example::run(app, argc, argv, [&] {
    using Think = ChatTemplate::Think;
    settings.format.think = think == "on"      ? Think::on
                            : think == "a-bit" ? Think::a_bit
                            : think == "a-lot" ? Think::a_lot
                            : think == "off"   ? Think::off
                                               : Think::skipped;
    const auto model = o.open();
    const Tokenizer tokenizer = o.open_tokenizer(*model);
    const SamplerConfig config = sampler.of(tokenizer);
    ChatSession chat(Generator(o.decoder(*model), tokenizer, config), config, settings);
    talk(chat);
    return 0;
  });
}
