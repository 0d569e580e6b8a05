#!/usr/bin/python3
"""The list of mutations fits the tree: `./dev mutations` could try each of them."""

import os
import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path

sys.dont_write_bytecode = True
# Not resolved: under Bazel this lies in the test's runfiles.
_HERE = Path(os.path.abspath(__file__)).parent
sys.path.insert(0, str(_HERE))

from mutation_list import Faulty, Mutation, check, load, select  # noqa: E402

_ROOT = _HERE.parent.parent

_MUTATION = Mutation(
    name="a-fault",
    file="core/some.cc",
    there="a > b",
    fault="a < b",
    test="//tests/room:some_test",
    filter="SomeTest.FindsIt",
)


class MutationListTest(unittest.TestCase):
    def test_each_can_be_tried(self) -> None:
        for mutation in load(_HERE / "mutations.toml"):
            with self.subTest(mutation.name):
                check(mutation, _ROOT)

    def test_no_name_is_used_twice(self) -> None:
        names = Counter(mutation.name for mutation in load(_HERE / "mutations.toml"))
        self.assertEqual([name for name, times in names.items() if times > 1], [])

    def test_one_that_can_not_be_tried_is_noticed(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            (root / "core").mkdir()
            (root / "tests" / "room").mkdir(parents=True)
            file = root / _MUTATION.file
            test = root / "tests" / "room" / "some_test.cc"
            test.write_text("TEST(SomeTest, FindsIt) {}\n", encoding="utf-8")
            for text in ("", "a >= b", "a > b || a > b"):
                file.write_text(text, encoding="utf-8")
                with self.assertRaises(Faulty, msg=text):
                    check(_MUTATION, root)
            file.write_text("return a > b;", encoding="utf-8")
            check(_MUTATION, root)
            for text in ("", "TEST(SomeTest, FindsItNot) {}\n"):
                test.write_text(text, encoding="utf-8")
                with self.assertRaises(Faulty, msg=text):
                    check(_MUTATION, root)

    def test_those_are_chosen_that_have_a_text(self) -> None:
        self.assertEqual(select([_MUTATION], []), [_MUTATION])
        for text in ("fault", "core/some", "room:some"):
            self.assertEqual(select([_MUTATION], [text]), [_MUTATION])
        with self.assertRaises(Faulty):
            select([_MUTATION], ["other"])


if __name__ == "__main__":
    unittest.main()
