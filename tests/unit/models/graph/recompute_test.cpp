#include "models/graph/recompute.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sim/spec/document.hpp"

namespace mlosim::graph {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Recompute read(const std::string& yaml) {
  const spec::Value document = spec::parse_document("recompute: " + yaml, "train.yaml");
  spec::Decoding decoding;
  spec::Node node(&document, "train", &decoding);
  const Recompute recompute = decode_recompute(node.child("recompute"));
  decoding.diagnostics.throw_if_any();
  return recompute;
}

TEST(DecodeRecompute, KnowsThePolicies) {
  EXPECT_EQ(read("none").policy, Recompute::Policy::none);
  EXPECT_EQ(read("selective").policy, Recompute::Policy::selective);
  EXPECT_EQ(read("full").policy, Recompute::Policy::full);
  EXPECT_EQ(read("{full_layers: 3}").full_layers, 3);
}

TEST(DecodeRecompute, ReadsListsAsTheyArePublished) {
  EXPECT_THAT(read("{keep: [decoder_layer_input, context, q, k, v on device], offload: false}").keep,
              ElementsAre("decoder_layer_input", "context", "query_proj", "key_proj", "value_proj"));
  EXPECT_THAT(read("{keep: [decoder_layer_input kept, qkv remat]}").keep, ElementsAre("decoder_layer_input"));
  const Recompute host = read("{keep: [decoder_layer_input, out_proj, q, k, v to host], offload: true}");
  EXPECT_THAT(host.keep, ElementsAre("decoder_layer_input", "out_proj", "query_proj", "key_proj", "value_proj"));
  EXPECT_TRUE(host.offload);
  EXPECT_THAT(read("{keep: [qkv_proj, mlpwi_0, mlpwi_1]}").keep,
              ElementsAre("query_proj", "key_proj", "value_proj", "mlpwi"));
}

TEST(DecodeRecompute, RefusesOtherNames) {
  try {
    read("{keep: [activations]}");
    FAIL() << "was taken";
  } catch (const spec::InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("'activations' is no tensor of a layer"));
  }
  EXPECT_THROW(read("sometimes"), spec::InputError);
  EXPECT_THROW(read("{offload: true}"), spec::InputError);
}

}  // namespace
}  // namespace mlosim::graph
