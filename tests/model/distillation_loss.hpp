#pragma once

#include <array>
#include <cmath>
#include <span>

#include "model/loss.hpp"

namespace ballast::test {

/// KL(teacher ‖ student), and nothing of the labels but where they count (Hinton et al. 2015, at
/// temperature 1): a target over the whole vocabulary.
class DistillationLoss final : public model::Loss {
 public:
  [[nodiscard]] std::span<const std::string_view> figures() const override { return kFigures; }
  [[nodiscard]] std::size_t floats_a_token() const override { return 1; }
  [[nodiscard]] bool wants_teacher() const override { return true; }

  void compute(const model::LossChunk& chunk, const kernels::Operations& operations,
               model::LossSums& sums) const override {
    operations.cross_entropy_loss(chunk.vocabulary, chunk.labels, chunk.logits,
                                  {chunk.nll, chunk.scratch});
    for (std::size_t t = 0; t < chunk.labels.size(); ++t) {
      const auto student = chunk.logits.subspan(t * chunk.vocabulary, chunk.vocabulary);
      const auto teacher = chunk.teacher.subspan(t * chunk.vocabulary, chunk.vocabulary);
      const bool counts = chunk.labels[t] != kernels::kIgnoreLabel;
      const double divergence =
          compare(student, teacher, counts ? static_cast<double>(chunk.gradient_scale) : 0.0);
      if (!counts) continue;
      sums.add_label(1.0);
      sums.add(0, divergence);
    }
    chunk.round_gradient(operations);
  }

 private:
  static double log_z(std::span<const float> logits) {
    double sum = 0.0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
    return std::log(sum);
  }

  /// Returns the divergence, and leaves its gradient for the student's logits in their place.
  static double compare(std::span<float> student, std::span<const float> teacher, double scale) {
    const double student_z = log_z(student), teacher_z = log_z(teacher);
    double divergence = 0.0;
    for (std::size_t v = 0; v < student.size(); ++v) {
      const double log_q = static_cast<double>(student[v]) - student_z;
      const double log_p = static_cast<double>(teacher[v]) - teacher_z;
      divergence += std::exp(log_p) * (log_p - log_q);
      student[v] = static_cast<float>(scale * (std::exp(log_q) - std::exp(log_p)));
    }
    return divergence;
  }

  static constexpr std::array<std::string_view, 1> kFigures{"loss"};
};

}  // namespace ballast::test
