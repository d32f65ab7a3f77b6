#include <rwkv/testing/bundles.hpp>
#include <rwkv/testing/doctest.hpp>

#include "../every/lists.hpp"
#include "guarded.hpp"

using namespace rwkv;
using B = test::Guarded<float>;

TEST_CASE_TEMPLATE_DEFINE("models by themselves keep to the verbs", Net, models_by_themselves) {
  testing::expect(testing::check_bundles<Net, B>({.cases = 2, .vocabulary = every::vocabulary}));
}
TEST_CASE_TEMPLATE_APPLY(models_by_themselves, every::layers_of<every::Models>);
