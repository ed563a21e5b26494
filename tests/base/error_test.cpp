#include "base/error.hpp"

#include <gtest/gtest.h>

namespace ballast {
namespace {

TEST(Error, CarriesItsExitCode) {
  EXPECT_EQ(usage_error("x").code(), ExitCode::usage);
  EXPECT_EQ(data_error("x").code(), ExitCode::data);
  EXPECT_EQ(internal_error("x").code(), ExitCode::internal);
  EXPECT_STREQ(data_error("{} has {} elements", "qkv", 12).what(), "qkv has 12 elements");
}

TEST(Error, EachLayerAddsWhatItKnows) {
  try {
    with_context("step 12", [] {
      with_context("unit block.7", [] { throw data_error("{}", "qkv {is} missing"); });
    });
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "step 12: unit block.7: qkv {is} missing");
    EXPECT_EQ(error.code(), ExitCode::data);
  }
}

TEST(Error, ContextHandsTheValueThrough) {
  EXPECT_EQ(with_context("here", [] { return 7; }), 7);
  EXPECT_THROW(with_context("here", [] { throw std::runtime_error{"other"}; }), std::runtime_error);
}

/// Scripts rely on these numbers.
TEST(ExitCode, KeepsItsNumbers) {
  EXPECT_EQ(static_cast<int>(ExitCode::ok), 0);
  EXPECT_EQ(static_cast<int>(ExitCode::usage), 2);
  EXPECT_EQ(static_cast<int>(ExitCode::data), 3);
  EXPECT_EQ(static_cast<int>(ExitCode::unstable), 4);
  EXPECT_EQ(static_cast<int>(ExitCode::internal), 70);
  EXPECT_EQ(static_cast<int>(ExitCode::run_again), 75);
}

}  // namespace
}  // namespace ballast
