#include "model/sublayers.hpp"

#include "base/error.hpp"
#include "model/attention_layer.hpp"
#include "model/feed_forward_layer.hpp"

namespace ballast::model {

namespace {

/// A list never lies about its sizes: views are arrays, and a tensor beyond one would be lost.
SublayerSpec checked(SublayerSpec spec) {
  if (spec.tensors.size() > kMostTensors || spec.kept.size() > kMostKept) {
    throw internal_error(
        "sublayer '{}' lists {} tensors and keeps {}: raise kMostTensors or "
        "kMostKept",
        name_of(spec.kind), spec.tensors.size(), spec.kept.size());
  }
  return spec;
}

}  // namespace

SublayerSpec list_of(SublayerKind kind, const ModelConfig& config) {
  switch (kind) {
    case SublayerKind::attention:
      return checked(AttentionLayer::list(config));
    case SublayerKind::feed_forward:
      return checked(FeedForwardLayer::list(config));
  }
  throw internal_error("unknown sublayer {}", static_cast<int>(kind));
}

std::unique_ptr<Sublayer> make_sublayer(SublayerKind kind, const ModelConfig& config,
                                        BatchShape shape, ElementType compute,
                                        const kernels::Operations& operations) {
  switch (kind) {
    case SublayerKind::attention:
      return std::make_unique<AttentionLayer>(config, shape, compute, operations);
    case SublayerKind::feed_forward:
      return std::make_unique<FeedForwardLayer>(config, shape, operations);
  }
  throw internal_error("unknown sublayer {}", static_cast<int>(kind));
}

std::unique_ptr<SublayerDecoder> make_sublayer_decoder(SublayerKind kind, const ModelConfig& config,
                                                       std::size_t layer, std::size_t context,
                                                       const kernels::Gemm& gemm) {
  switch (kind) {
    case SublayerKind::attention:
      return make_attention_decoder(config, layer, context, gemm);
    case SublayerKind::feed_forward:
      return make_feed_forward_decoder(config, gemm);
  }
  throw internal_error("unknown sublayer {}", static_cast<int>(kind));
}

}  // namespace ballast::model
