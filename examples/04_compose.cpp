// Compose a model, train it, save it, let it write: the hero example of the README on a text of its own.
#include <cstdio>
#include <rwkv/io/safetensors.hpp>
#include <rwkv/rwkv.hpp>
using namespace rwkv;

// A model is a type. Every shape in it is checked before it runs.
template <dim_t C>
struct Verse : Sequential<Residual<Named<"ln1", LayerNorm<C>>, Named<"att", v4::TimeMix<C>>>,
                          Residual<Named<"ln2", LayerNorm<C>>, Named<"ffn", v4::ChannelMix<C>>>> {};

struct Poet : Sequential<Named<"emb", Embedding<256, 64>>,       //
                         Named<"ln0", LayerNorm<64>>,            //
                         Named<"blocks", Repeat<2, Verse<64>>>,  //
                         Named<"ln_out", LayerNorm<64>>,         //
                         Named<"head", Linear<64, 256>>> {};

int main() {
  std::string poem;
  for (int i = 0; i < 30; ++i)
    poem +=
        "Rain falls on the river, and the river runs to the sea.\nThe sea gives rain to the hills, and it falls on the "
        "river.\n";
  Model<Poet> poet;
  Trainer train{poet, TrainConfig{.schedule = {.learning_rate = 3e-3}}, Seq{.batch = 8, .time = 64}};
  double loss = 0;
  for (const auto& batch : RandomWindows(Corpus::of_text(poem, Bytes()), train.seq()).first(60))
    loss = train.step(batch);
  std::printf("loss %.3f\n", loss);
  save(poet, "poet.safetensors");

  Model<Poet> copy;
  load(copy, "poet.safetensors");
  Generator write{copy, SamplerConfig{.temperature = 0.5}};
  std::printf("Rain%s\n", write("Rain", 80).c_str());
  return loss < 1 ? 0 : 1;
}
