#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <string_view>
#include <vector>

#include "monitor/matrices.hpp"
#include "monitor/spectral/lapack.hpp"

namespace ballast::monitor::test {

/// Where a block of InitialGpt normalizes: what the table of arXiv:2602.22988 compares.
enum class Norms {
  pre_layer,   ///< LayerNorm before each sublayer
  post_layer,  ///< LayerNorm after each addition
  pre_rms,     ///< RMSNorm before each sublayer
  deep,        ///< after each addition, the stream enlarged and some weights reduced (DeepNet)
  sub,         ///< before each sublayer, and before what it adds is projected (Sub-LN)
  none,
};

struct GptShape {
  Norms norms = Norms::pre_layer;
  std::size_t dim = 128;
  std::size_t layers = 6;
  std::size_t heads = 4;
  std::size_t vocabulary = 256;
  std::size_t seq_len = 64;
  std::size_t sequences = 32;
  double init_std = 0.02;
};

/// What a GPT is before its first step, in double: learned positions, causal attention, GELU, four
/// times as wide feed-forward layers, no biases, gains of one, all weights from one normal
/// distribution. Shares no code with src/model.
class InitialGpt {
 public:
  explicit InitialGpt(const GptShape& shape) : shape_{shape} {}

  /// Before the first block and after each one: [tokens, dim], of tokens drawn at random.
  [[nodiscard]] std::vector<Matrix> residual_stream() {
    std::vector<Matrix> stream{embedded()};
    for (std::size_t layer = 0; layer < shape_.layers; ++layer) {
      const Matrix middle = add(stream.back(), attention(entering(stream.back())));
      stream.push_back(add(middle, feed_forward(entering(middle))));
    }
    return stream;
  }

 private:
  [[nodiscard]] std::size_t tokens() const { return shape_.sequences * shape_.seq_len; }

  /// Weights of the next tensor.
  [[nodiscard]] Matrix weights(std::size_t rows, std::size_t cols, double scale = 1.0) {
    Matrix w = normals(rows, cols, next_stream_++);
    for (double& value : w.values) value *= scale * shape_.init_std;
    return w;
  }

  /// x w, through BLAS: row-major matrices are the transposes of what it reads.
  [[nodiscard]] static Matrix product(const Matrix& x, const Matrix& w) {
    Matrix y{x.rows, w.cols};
    lapack::multiply({w.cols, x.rows, x.cols}, {w.values, w.cols}, {x.values, x.cols}, y.values);
    return y;
  }

  [[nodiscard]] Matrix embedded() {
    const Matrix pieces = weights(shape_.vocabulary, shape_.dim);
    const Matrix positions = weights(shape_.seq_len, shape_.dim);
    const Philox draw{11, RandomPurpose::sample, 0, 0};
    Matrix h{tokens(), shape_.dim};
    for (std::size_t t = 0; t < h.rows; ++t) {
      const std::size_t piece = draw(t)[0] % shape_.vocabulary;
      for (std::size_t j = 0; j < h.cols; ++j) {
        h(t, j) = pieces(piece, j) + positions(t % shape_.seq_len, j);
      }
    }
    return h;
  }

  enum class Center { yes, no };
  [[nodiscard]] static Matrix normalized(Matrix x, Center center) {
    const auto n = static_cast<double>(x.cols);
    for (std::size_t i = 0; i < x.rows; ++i) {
      double mean = 0.0, square = 0.0;
      for (std::size_t j = 0; j < x.cols && center == Center::yes; ++j) mean += x(i, j) / n;
      for (std::size_t j = 0; j < x.cols; ++j) square += (x(i, j) - mean) * (x(i, j) - mean) / n;
      const double scale = 1.0 / std::sqrt(square + 1e-5);
      for (std::size_t j = 0; j < x.cols; ++j) x(i, j) = (x(i, j) - mean) * scale;
    }
    return x;
  }

  /// What a sublayer reads.
  [[nodiscard]] Matrix entering(const Matrix& h) const {
    switch (shape_.norms) {
      case Norms::pre_layer:
      case Norms::sub:
        return normalized(h, Center::yes);
      case Norms::pre_rms:
        return normalized(h, Center::no);
      default:
        return h;
    }
  }
  /// What a sublayer projects back into the stream.
  [[nodiscard]] Matrix leaving(Matrix x) const {
    return shape_.norms == Norms::sub ? normalized(std::move(x), Center::yes) : x;
  }
  [[nodiscard]] Matrix add(const Matrix& h, const Matrix& update) const {
    switch (shape_.norms) {
      case Norms::post_layer:
        return normalized(plus(h, 1.0, update), Center::yes);
      case Norms::deep:  // α = (2 L)^¼ (Wang et al. 2022, arXiv:2203.00555)
        return normalized(plus(update, std::sqrt(std::sqrt(2.0 * layers())), h), Center::yes);
      default:
        return plus(h, 1.0, update);
    }
  }
  [[nodiscard]] double layers() const { return static_cast<double>(shape_.layers); }
  /// Of values, outputs and feed-forward layers: DeepNet's β = (8 L)^−¼.
  [[nodiscard]] double reduction() const {
    return shape_.norms == Norms::deep ? 1.0 / std::sqrt(std::sqrt(8.0 * layers())) : 1.0;
  }

  [[nodiscard]] Matrix attention(const Matrix& x) {
    const Matrix q = product(x, weights(shape_.dim, shape_.dim));
    const Matrix k = product(x, weights(shape_.dim, shape_.dim));
    const Matrix v = product(x, weights(shape_.dim, shape_.dim, reduction()));
    Matrix out{x.rows, x.cols};
    for (std::size_t t = 0; t < x.rows; ++t) {
      for (std::size_t head = 0; head < shape_.heads; ++head) attend(q, k, v, t, head, out);
    }
    return product(leaving(std::move(out)), weights(shape_.dim, shape_.dim, reduction()));
  }

  void attend(const Matrix& q, const Matrix& k, const Matrix& v, std::size_t t, std::size_t head,
              Matrix& out) const {
    const std::size_t width = shape_.dim / shape_.heads;
    const std::size_t from = head * width;
    const double scale = 1.0 / std::sqrt(static_cast<double>(width));
    double total = 0.0;  // logits are far below 1: no maximum to take off
    for (std::size_t s = t - t % shape_.seq_len; s <= t; ++s) {
      double logit = 0.0;
      for (std::size_t j = from; j < from + width; ++j) logit += q(t, j) * k(s, j);
      const double weight = std::exp(scale * logit);
      total += weight;
      for (std::size_t j = from; j < from + width; ++j) out(t, j) += weight * v(s, j);
    }
    for (std::size_t j = from; j < from + width; ++j) out(t, j) /= total;
  }

  [[nodiscard]] Matrix feed_forward(const Matrix& x) {
    Matrix wide = product(x, weights(shape_.dim, 4 * shape_.dim, reduction()));
    for (double& value : wide.values) {
      value *= 0.5 * (1.0 + std::erf(value / std::numbers::sqrt2));
    }
    return product(leaving(std::move(wide)), weights(4 * shape_.dim, shape_.dim, reduction()));
  }

  GptShape shape_;
  std::uint32_t next_stream_ = 100;
};

}  // namespace ballast::monitor::test
