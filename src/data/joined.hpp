#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "data/json_lines.hpp"

namespace ballast::data {

/// Puts a text between documents. It belongs to the document before: to its weight and its split.
class Joined final : public DocumentSink {
 public:
  Joined(std::string between, DocumentSink& next) : between_{std::move(between)}, next_{next} {}

  void begin_document(float weight) override {
    if (std::exchange(begun_, true) && !between_.empty()) next_.text(between_);
    next_.begin_document(weight);
  }
  void text(std::string_view piece) override { next_.text(piece); }
  void ids(std::span<const std::int32_t> piece) override { next_.ids(piece); }

 private:
  std::string between_;
  DocumentSink& next_;
  bool begun_ = false;
};

}  // namespace ballast::data
