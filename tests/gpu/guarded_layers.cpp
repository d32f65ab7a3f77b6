#include <rwkv/testing/bundles.hpp>
#include <rwkv/testing/doctest.hpp>

#include "../every/lists.hpp"
#include "guarded.hpp"

using namespace rwkv;
using B = test::Guarded<float>;

TEST_CASE_TEMPLATE_DEFINE("layers by themselves keep to the verbs", L, by_themselves) {
  testing::expect(testing::check_bundles<L, B>({.cases = 2}));
}
TEST_CASE_TEMPLATE_APPLY(by_themselves, every::layers_of<every::BesideModels>);
