#pragma once

#include <fstream>
#include <optional>
#include <string>

#include "data/dataset.hpp"
#include "data/prepare.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::train {

/// A dataset of bytes, the same on every rank, gone at the end.
class SmallDataset {
 public:
  explicit SmallDataset(data::SplitRule split = data::SplitRule::blocks) {
    std::ofstream text{folder_ / "text.txt"};
    for (int i = 0; i < 20000; ++i) text << "keel " << i * i % 97 << '\n';
    text.close();
    data::prepare({.inputs = {(folder_ / "text.txt").string()},
                   .output = folder_ / "text.h5",
                   .split = split,
                   .validation_fraction = 0.01},
                  {});
    dataset_.emplace(folder_ / "text.h5");
  }

  [[nodiscard]] const data::Dataset& dataset() const { return *dataset_; }

 private:
  test::TemporaryFolder folder_;
  std::optional<data::Dataset> dataset_;
};

}  // namespace ballast::train
