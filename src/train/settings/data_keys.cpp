#include <fmt/format.h>

#include "base/option_row.hpp"
#include "train/settings/section_keys.hpp"

namespace ballast::train {

namespace {

constexpr Limits kSequences{1, 1u << 24};

}  // namespace

Keys data_keys(DataConfig& c) {
  using option_row::whole, option_row::word, option_row::choice, option_row::required,
      option_row::own_to_a_rank;
  return {
      {own_to_a_rank(
           required(word("data.path", "FILE", c.path, "dataset made by 'ballast prepare'"))),
       Role::kept(kNeverAbsent)},
      {whole("data.seq_len", c.seq_len, kSequences, "tokens in a sequence"),
       Role::same(kNeverAbsent)},
      {whole("data.micro_batch", c.micro_batch, kSequences,
             "sequences that pass through the model together"),
       Role::kept(kNeverAbsent)},
      {whole("data.leaf_micro_batches", c.leaf_micro_batches, kSequences,
             "micro-batches that a rank adds up before one reduction"),
       Role::free()},
      {whole("data.global_batch", c.global_batch, kSequences,
             "sequences a step; a multiple of micro_batch times leaf_micro_batches"),
       Role::kept(kNeverAbsent)},
      {whole("data.leaf_group", c.leaf_group, kSequences,
             "leaves whose gradients are added up first; a host sends one sum for each group that "
             "its ranks have computed, so a multiple or divisor of the ranks a host saves traffic"),
       Role::free()},
      {choice("data.verify", c.verify,
              fmt::format("check of the dataset against its hashes; full: all of it before the "
                          "first step, unpacked too; header: the header, and each block before its "
                          "first use; auto: all of up to {} GiB, else as header",
                          kWholeByDefault >> 30)),
       Role::free()},
  };
}

}  // namespace ballast::train
