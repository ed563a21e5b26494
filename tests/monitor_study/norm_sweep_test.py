"""norm_sweep_test.py BENCH: spectra before the first step, made up, and the page about them."""

import json
import math
import stat
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

import made_up  # noqa: F401
from initial_profiles import NORMS, PLAIN, SETTINGS, WIDE, Profile, profile_of
from norm_report import TABLE_1, Sweep, markdown, orders, spearman

FAKE = """#!/usr/bin/env python3
import json, sys
assert sys.argv[1:3] == ["monitor", "profile"], sys.argv
keys = dict(zip(sys.argv[3::2], sys.argv[4::2]))
if keys["--model.norm_placement"] == "post":
    sys.exit("no such norm")
spectrum = {"status": ["ok", "identity", "constant"], "near_unit": [0.25, 1.0, None]}
profile = {"spectrum": spectrum, "update": [0.5, 0.0, float(keys["--model.init_std"])]}
open(keys["--output"], "w").write(json.dumps(profile))
"""


def block(near_unit: float) -> dict:
    numbers = {"near_unit": near_unit, "expanding": 1 - near_unit, "contracting": 0.0}
    numbers |= {"radius": 2.0 - near_unit, "noise_radius": 0.1, "status": "ok"}
    return numbers | {"update": (1 - near_unit) / 2, "whitened_update": 1 - near_unit}


def made(norms: str, setting, near_unit: float) -> Profile:
    return Profile(norms, setting, (block(near_unit), block(near_unit / 2)))


class Ranks(unittest.TestCase):
    def test_spearman_looks_at_order_alone(self):
        self.assertAlmostEqual(spearman([1, 2, 3, 9], [1, 10, 11, 400]), 1)
        self.assertAlmostEqual(spearman([1, 2, 3], [0, -1, -8]), -1)
        self.assertAlmostEqual(spearman([1, 2, 3, 4], [2, 1, 4, 3]), 0.6)

    def test_ties_share_their_ranks(self):
        self.assertAlmostEqual(spearman([1, 1, 2], [1, 2, 3]), math.sqrt(3) / 2)
        self.assertTrue(math.isnan(spearman([1, 1, 1], [1, 2, 3])))


class Profiles(unittest.TestCase):
    def setUp(self):
        scratch = TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.ballast = Path(scratch.name) / "ballast"
        self.ballast.write_text(FAKE)
        self.ballast.chmod(self.ballast.stat().st_mode | stat.S_IXUSR)

    def test_blocks_are_read_and_identities_left_out_of_means(self):
        profile = profile_of(self.ballast, Path("none.h5"), "pre, RMS", PLAIN)
        self.assertEqual([b["update"] for b in profile.blocks], [0.5, 0.0, 0.02])
        self.assertEqual(profile.mean("near_unit"), 0.25)
        self.assertTrue(math.isnan(profile.mean("near_unit", first=1)))

    def test_a_profile_that_fails_ends_it_and_says_so(self):
        with self.assertRaises(SystemExit) as ended:
            profile_of(self.ballast, Path("none.h5"), "post, RMS", PLAIN)
        self.assertIn("no such norm", str(ended.exception))


class Page(unittest.TestCase):
    def setUp(self):
        masses = dict(zip(NORMS, (0.16, 0.17, 0.18, 0.70, 0.70, 0.90), strict=True))
        self.ours = [made(n, s, mass) for s in SETTINGS for n, mass in masses.items()]
        self.gpt = [made(row.gpt, s, row.near_unit) for s in (PLAIN, WIDE) for row in TABLE_1]

    def test_tables_hold_the_paper_beside_what_was_found(self):
        page = markdown(self.ours, self.gpt)
        self.assertIn("| Pre-LN | 25, 0% | 0.16 / 0.54 / 2.29 | 0.12 / 0.88 / 1.88 |", page)
        self.assertIn("| DeepNorm | 12, 0% | 0.00 / 1.00 / 3.94 | 0.00 / 1.00 / 2.00 | ", page)
        self.assertIn("| SubLN | off: above 1 0.90 for 0.54, ρ 1.90 for 2.23 | ", page)
        self.assertIn("not built", page)
        self.assertIn("| -1.00 | -1.00 |", page)
        self.assertNotIn("nan", page)

    def test_a_rank_order_that_turns_is_counted(self):
        self.assertEqual(orders(Sweep(self.ours)), (len(SETTINGS), len(SETTINGS)))
        turned = [one for one in self.ours if (one.norms, one.setting) != ("none", WIDE)]
        turned.append(made("none", WIDE, 0.01))
        self.assertEqual(orders(Sweep(turned)), (len(SETTINGS) - 1, len(SETTINGS)))


if __name__ == "__main__":
    unittest.main()
