"""Plants violations in a small copy of the house and sees that each is found."""

import shutil
import tempfile
import unittest
from pathlib import Path

import check_arrows
import check_loops
import check_reductions
import check_spelling
import check_tidy


class PlantedViolations(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for name in check_arrows.ARROWS:
            self.write(f"src/{name}/{name}.hpp", "#pragma once\n")
            used = " ".join(check_arrows.ARROWS[name])
            self.write(f"src/{name}/CMakeLists.txt", f"ballast_library({name} DEPENDS {used})\n")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def expect(self, check, *expected):
        self.assertEqual(check.violations(self.root), list(expected))

    def plant(self, folder, code, *expected):
        self.write(f"src/{folder}/planted.cpp", f"#pragma once\n{code}\n")
        self.expect(check_arrows, *(f"src/{folder}/planted.cpp:2: {text}" for text in expected))
        (self.root / f"src/{folder}/planted.cpp").unlink()

    def test_a_clean_house_passes(self):
        self.expect(check_arrows)
        self.expect(check_loops)
        self.expect(check_reductions)
        self.expect(check_spelling)

    def test_a_loop_of_rooms_is_found(self):
        self.write("src/base/a.hpp", '#include "base/b.hpp"\n')
        self.write("src/base/b.cpp", '#include "base/c.hpp"\n')
        self.write("src/base/c.hpp", '#include "base/a.hpp"\n')
        self.expect(check_loops, "a loop: base/a -> base/b -> base/c -> base/a")

    def test_a_loop_of_folders_without_one_of_rooms_is_found(self):
        self.write("src/train/plan/p.hpp", '#include "train/watch/w.hpp"\n')
        self.write("src/train/watch/v.hpp", '#include "train/plan/q.hpp"\n')
        self.expect(check_loops, "a loop: train/plan -> train/watch -> train/plan")

    def test_a_source_may_include_its_own_header(self):
        self.write("src/base/base.cpp", '#include "base/base.hpp"\n')
        self.expect(check_loops)

    def test_a_name_of_two_rooms_is_found(self):
        self.write("src/base/same.hpp", "")
        self.write("src/comm/inner/same.cpp", "")
        self.expect(check_loops, "one name, several rooms: base/same, comm/inner/same")

    def test_arrows_are_transitive(self):
        self.plant("cli", '#include "base/base.hpp"')
        self.plant("train", '#include "storage/storage.hpp"')
        self.plant("checkpoint", '#include "kernels/kernels.hpp"')

    def test_an_include_against_an_arrow_is_found(self):
        for folder, used in [
            ("base", "tensor"),
            ("kernels", "comm"),
            ("model", "fsdp"),
            ("optim", "comm"),
            ("storage", "comm"),
            ("data", "tensor"),
            ("fsdp", "optim"),
            ("train", "cli"),
        ]:
            with self.subTest(folder=folder, used=used):
                self.plant(folder, f'#include "{used}/{used}.hpp"', f"{folder} must not use {used}")

    def test_spaces_do_not_hide_an_include(self):
        self.plant("base", '  # include"comm/comm.hpp"', "base must not use comm")

    def test_a_comment_is_no_include(self):
        self.plant("base", '// #include "comm/comm.hpp"')
        self.plant("base", '/* #include "comm/comm.hpp" */')

    def test_an_include_must_name_folder_and_file(self):
        self.plant(
            "base",
            '#include "base.hpp"',
            '"base.hpp" is no file of src/; includes are written "folder/file.hpp"',
        )
        self.plant("base", "#include <comm/comm.hpp>", "comm/comm.hpp is ours: include it with quotes")

    def test_outside_headers_have_one_home(self):
        self.plant("comm", "#include <mpi.h>")
        self.plant("fsdp", "#include <mpi.h>", "only comm may include mpi.h")
        only_writer = "only storage/h5/writer may include"
        self.plant("checkpoint", "#include <hdf5.h>", f"{only_writer} hdf5.h")
        self.plant("data", "#include <H5Dpublic.h>", f"{only_writer} H5Dpublic.h")
        self.plant("storage/h5", "#include <hdf5.h>", f"{only_writer} hdf5.h")
        self.write("src/storage/h5/writer_list.cpp", "#include <hdf5.h>\n")
        self.expect(check_arrows)
        self.plant("model", "#include <cblas.h>", "only kernels may include cblas.h")
        self.plant(
            "train",
            "#include <sentencepiece_processor.h>",
            "only data may include sentencepiece_processor.h",
        )

    def test_the_world_has_no_name_outside_comm(self):
        self.plant("comm", "auto world = MPI_COMM_WORLD;")
        self.plant("fsdp", "auto w = MPI_COMM_WORLD;", "MPI_COMM_WORLD has no name outside comm")
        self.plant("fsdp", 'auto text = "MPI_COMM_WORLD";  // MPI_COMM_WORLD')

    def test_a_target_against_an_arrow_is_found(self):
        self.write("src/base/CMakeLists.txt", "ballast_library(base\n  DEPENDS tensor LINK fmt)\n")
        self.expect(check_arrows, "src/base/CMakeLists.txt: base must not depend on tensor")

    def test_a_folder_without_arrows_is_found(self):
        self.write("src/attic/attic.hpp", "")
        self.expect(
            check_arrows, "src/attic: no arrows; add the folder to check_arrows.py"
        )

    def test_reductions_are_found_in_all_their_forms(self):
        for call in [
            "MPI_Reduce",
            "MPI_Allreduce",
            "MPI_Iallreduce",
            "PMPI_Allreduce",
            "MPI_Ireduce",
            "MPI_Reduce_scatter",
            "MPI_Reduce_scatter_block",
            "MPI_Ireduce_scatter",
            "MPI_Scan",
            "MPI_Iexscan",
            "MPI_Reduce_local",
            "MPI_Accumulate",
            "MPI_Raccumulate",
            "MPI_Get_accumulate",
            "MPI_Rget_accumulate",
            "MPI_Fetch_and_op",
            "MPI_Allreduce_init",
            "MPI_Allreduce_c",
            "MPI_Op_create",
        ]:
            with self.subTest(call=call):
                self.write("src/fsdp/planted.cpp", f"void f() {{\n  {call}(a, b);\n}}\n")
                self.expect(
                    check_reductions, f"src/fsdp/planted.cpp:2: {call} is banned outside bench/"
                )

    def test_tests_are_searched_and_benchmarks_are_not(self):
        self.write("tests/comm/planted.cpp", "MPI_Scan(x);\n")
        self.write("bench/collectives/planted.cpp", "MPI_Scan(x);\n")
        self.expect(check_reductions, "tests/comm/planted.cpp:1: MPI_Scan is banned outside bench/")

    def test_british_spelling_is_found_in_code_and_documents(self):
        self.write("src/base/planted.cpp", "void normal" "ise();  // col" "our\n")
        self.write("README.md", "The optim" "iser analyses, and specialises in nothing.\n")
        self.expect(
            check_spelling,
            "src/base/planted.cpp:1: 'normal" "ise' is British",
            "src/base/planted.cpp:1: 'col" "our' is British",
            "README.md:1: 'optim" "iser' is British",
        )

    def test_words_about_reductions_are_no_reductions(self):
        self.write(
            "src/fsdp/planted.cpp",
            '// not MPI_Allreduce\n/* nor\n MPI_Scan */ auto s = "MPI_Reduce";\nMPI_Allgather(x);\n',
        )
        self.expect(check_reductions)

    def sources(self, **texts):
        for name, text in texts.items():
            self.write(f"src/base/{name}.cpp", text)
        return [self.root / f"src/base/{name}.cpp" for name in texts]

    def test_sources_that_name_the_same_are_read_apart(self):
        self.write("src/base/rows.hpp", "struct Rows {\n};\n")
        a, b, c, d = self.sources(
            a="constexpr int kRows = 1;\n",
            b="constexpr int kRows = 2;\n",
            c='#include "base/rows.hpp"\nvoid act() {}\n',
            d="struct Rows {\n};\n",
        )
        self.assertEqual(check_tidy.batches_of([a, b, c, d], self.root), [[a, c], [b, d]])

    def test_tidy_finds_and_remembers_what_is_clean_alone(self):
        shutil.copy(Path(__file__).resolve().parents[2] / ".clang-tidy", self.root)
        bad, good = self.sources(bad="int f() {\n  int x;\n  return x = 1;\n}\n", good="int g();\n")
        tidy = check_tidy.Tidy(self.root, self.root, ["-std=c++20"])
        for _ in range(2):
            (found,) = tidy.findings([good, bad])
            self.assertIn("bad.cpp:2:7: warning: variable 'x' is not initialized", found)
        self.assertEqual(tidy.findings([good]), set())
        tidy.command = ["false"]
        self.assertEqual(len(tidy.findings([bad])), 1)


if __name__ == "__main__":
    unittest.main()
