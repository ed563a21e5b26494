#include "kernels/gemm/gemm_table.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "kernels/gemm/gemm_factory.hpp"
#include "kernels/values.hpp"

namespace ballast::kernels {
namespace {

constexpr GemmCall kCall{ElementType::fp32, Transpose::no, Transpose::yes, 64, 48, 32};

std::string header() { return fmt::format("ballast gemm table 1\nmachine: {}\n", gemm_machine()); }

GemmTable parsed(const std::string& rules) {
  return GemmTable::parse(header() + rules, "table.txt");
}

std::string problem_of(const std::string& text) {
  try {
    (void)GemmTable::parse(text, "table.txt");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "none";
}

TEST(GemmTable, TheFirstRuleThatFitsDecides) {
  const GemmTable table = parsed(
      "# a comment\n"
      "\n"
      "fp32 NT 64 48 1-32 openblas\n");
  EXPECT_EQ(table.choose(kCall), GemmLibrary::openblas);
  const GemmLibrary shipped = GemmTable::shipped().choose(kCall);
  for (const auto change :
       {+[](GemmCall& call) { call.k = 33; }, +[](GemmCall& call) { call.m = 65; },
        +[](GemmCall& call) { call.n = 47; },
        +[](GemmCall& call) { call.transpose_a = Transpose::yes; },
        +[](GemmCall& call) { call.transpose_b = Transpose::no; }}) {
    GemmCall other = kCall;
    change(other);
    EXPECT_EQ(table.choose(other), shipped);
  }
}

TEST(GemmTable, EveryCallHasAChoiceThatThisProcessorRuns) {
  const GemmTable table = GemmTable::shipped();
  for (const ElementType type : {ElementType::fp32, ElementType::bf16, ElementType::fp16}) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4096}}) {
      const GemmLibrary library =
          table.choose({type, Transpose::yes, Transpose::yes, size, size, size});
      EXPECT_NO_THROW((void)make_gemm(library));
    }
  }
}

TEST(GemmTable, ItsTextReadsBackAsTheSameTable) {
  const GemmTable table{{GemmRule::of(kCall, GemmLibrary::openblas)}};
  const GemmTable again = GemmTable::parse(table.text(), "table.txt");
  EXPECT_EQ(again.text(), table.text());
  EXPECT_EQ(GemmTable::parse_rules(table.rules_text(), "rules").text(), table.text());
  EXPECT_EQ(again.choose(kCall), GemmLibrary::openblas);
}

TEST(GemmTable, RulesThatNoCallComesToAreLeftOut) {
  const GemmTable all =
      parsed("fp32 NT * * * openblas\n* ** * * * openblas\nfp32 NN * * * openblas\n");
  EXPECT_EQ(all.rules_text(), "fp32 NT * * * openblas\n* ** * * * openblas\n");
}

TEST(GemmTable, WhatIsWrongWithRulesIsNamedByLine) {
  try {
    (void)GemmTable::parse_rules("* ** * * * openblas\nfp64 NT * * * openblas\n", "rules");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "rules:2: 'fp64' is no element type");
  }
}

TEST(GemmTable, WhatIsWrongWithATextIsNamedByLine) {
  EXPECT_TRUE(
      problem_of("").starts_with("table.txt:1: a table starts with 'ballast gemm table 1'"));
  const std::string elsewhere = problem_of("ballast gemm table 1\nmachine: an abacus\n");
  EXPECT_TRUE(elsewhere.starts_with("table.txt:2: it was written for 'machine: an abacus', here "))
      << elsewhere;
  EXPECT_NE(elsewhere.find("ballast tune"), std::string::npos);
  EXPECT_TRUE(problem_of(header() + "fp32 NT 64 48 openblas\n")
                  .starts_with("table.txt:3: a rule is 'type transposes m n k library'"));
  EXPECT_TRUE(problem_of(header() + "fp32 NT 64 48 32 openblas now\n")
                  .starts_with("table.txt:3: a rule is 'type transposes m n k library'"));
  EXPECT_TRUE(problem_of(header() + "\nfp64 NT * * * openblas\n")
                  .starts_with("table.txt:4: 'fp64' is no element type"));
  EXPECT_TRUE(problem_of(header() + "fp32 NX * * * openblas\n")
                  .starts_with("table.txt:3: 'X' is neither N, T nor *"));
  EXPECT_TRUE(problem_of(header() + "fp32 NT 6x * * openblas\n")
                  .starts_with("table.txt:3: '6x' is not a size"));
  EXPECT_TRUE(problem_of(header() + "fp32 NT * * * abacus\n")
                  .starts_with("table.txt:3: there is no 'abacus' here"));
}

TEST(GemmTable, ProductsAreTheChosenLibrarysToTheBit) {
  constexpr std::size_t kM = 40;
  constexpr std::size_t kN = 52;
  constexpr std::size_t kK = 700;
  const auto a = random_values(1, kM * kK);
  const auto b = random_values(2, kN * kK);
  const auto product_by = [&](const Gemm& gemm) {
    std::vector<float> c(kM * kN);
    gemm.multiply(matrix(a.data(), kM, kK), Transpose::no, matrix(b.data(), kN, kK), Transpose::yes,
                  matrix(c.data(), kM, kN), Store::overwrite);
    return c;
  };
  for (const GemmLibrary library : gemm_libraries()) {
    const auto table = parsed(fmt::format("* ** * * * {}\n", name_of(library)));
    EXPECT_EQ(product_by(*make_gemm(table)), product_by(*make_gemm(library))) << name_of(library);
  }
}

TEST(GemmTable, ATableIsPartOfTheNumericsItIsNamedBy) {
  const auto shipped = make_gemm(GemmTable::shipped())->description();
  const auto other = make_gemm(parsed("fp32 NT 64 48 32 openblas\n"))->description();
  EXPECT_NE(shipped, other);
  EXPECT_NE(shipped.find("; table "), std::string::npos);
}

}  // namespace
}  // namespace ballast::kernels
