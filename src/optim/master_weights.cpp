#include "optim/master_weights.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/error.hpp"
#include "base/granule.hpp"
#include "kernels/convert.hpp"

namespace ballast::optim {

namespace {

bool has_rest(const MasterSlice& slice) {
  const std::size_t rest =
      slice.compute.type() == ElementType::bf16 ? slice.low.size() : slice.full.size();
  return slice.compute.type() == ElementType::fp32 || rest == slice.compute.size();
}

/// The halves that the model computes with, of masters whose other halves nobody keeps.
void write_high(std::span<const float> values, std::span<std::uint16_t> high) {
  std::array<std::int16_t, kGranule> low;
  for (std::size_t done = 0; done < values.size(); done += low.size()) {
    const std::size_t count = std::min(low.size(), values.size() - done);
    kernels::split_master(values.subspan(done, count), high.subspan(done, count),
                          std::span{low}.first(count));
  }
}

}  // namespace

void read(const MasterSlice& slice, std::size_t start, std::span<float> out) {
  const std::size_t count = out.size();
  if (!has_rest(slice)) return kernels::widen(slice.compute.subspan(start, count), out);
  switch (slice.compute.type()) {
    case ElementType::fp32:
      return kernels::widen(slice.compute.subspan(start, count), out);
    case ElementType::bf16:
      return kernels::join_master(slice.compute.halves().subspan(start, count),
                                  slice.low.subspan(start, count), out);
    case ElementType::fp16:
      std::ranges::copy(slice.full.subspan(start, count), out.begin());
      return;
  }
}

void write(const MasterSlice& slice, std::size_t start, std::span<const float> values) {
  const std::size_t count = values.size();
  switch (slice.compute.type()) {
    case ElementType::fp32:
      return kernels::narrow(values, slice.compute.subspan(start, count));
    case ElementType::bf16:
      if (!has_rest(slice)) return write_high(values, slice.compute.halves().subspan(start, count));
      return kernels::split_master(values, slice.compute.halves().subspan(start, count),
                                   slice.low.subspan(start, count));
    case ElementType::fp16:
      if (has_rest(slice)) std::ranges::copy(values, slice.full.subspan(start, count).begin());
      return kernels::narrow(values, slice.compute.subspan(start, count));
  }
}

MasterWeights::MasterWeights(std::span<float> values)
    : slices_{{0, values, {}, {}}}, size_{values.size()} {}

MasterWeights::MasterWeights(std::vector<MasterSlice> slices) : slices_{std::move(slices)} {
  for (const MasterSlice& slice : slices_) {
    if (slice.offset != size_) throw internal_error("master weights leave a gap at {}", size_);
    size_ += slice.compute.size();
  }
}

/// Calls act(slice, first element within the slice, first within the request, count).
template <class Act>
void MasterWeights::for_each_piece(std::size_t offset, std::size_t count, Act&& act) const {
  if (offset + count > size_) {
    throw internal_error("master weights {} to {} are asked for, there are {}", offset,
                         offset + count, size_);
  }
  auto slice = std::ranges::upper_bound(slices_, offset, {}, &MasterSlice::offset);
  for (std::size_t done = 0; done < count;) {
    const MasterSlice& here = *std::prev(slice);
    const std::size_t start = offset + done - here.offset;
    const std::size_t piece = std::min(count - done, here.compute.size() - start);
    if (piece > 0) act(here, start, done, piece);
    done += piece;
    if (done < count) ++slice;
  }
}

void MasterWeights::read(std::size_t offset, std::span<float> out) const {
  for_each_piece(offset, out.size(),
                 [&](const MasterSlice& slice, std::size_t start, std::size_t done,
                     std::size_t count) { optim::read(slice, start, out.subspan(done, count)); });
}

void MasterWeights::write(std::size_t offset, std::span<const float> values) const {
  for_each_piece(
      offset, values.size(),
      [&](const MasterSlice& slice, std::size_t start, std::size_t done, std::size_t count) {
        optim::write(slice, start, values.subspan(done, count));
      });
}

}  // namespace ballast::optim
