"""Prints `N passed, N failed[, N skipped]` for one run of `bazel test`.

usage: count_tests.py BUILD_EVENT_JSON_FILE EXIT_STATUS

It counts test cases, as the targets' test.xml files list them. A target that failed
without naming a case counts as one failed case.
"""

import json
import sys
import urllib.parse
import xml.etree.ElementTree


def count_cases(path):
    """Returns (passed, failed, skipped) of one test.xml."""
    passed = failed = skipped = 0
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        if case.get("status") == "notrun":
            continue  # Disabled in the source.
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.get("result") == "skipped" or case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main(events, status):
    totals = [0, 0, 0]
    with open(events, encoding="utf-8") as lines:
        for line in lines:
            result = json.loads(line).get("testResult")
            if result is None:
                continue
            counts = (0, 0, 0)
            for output in result.get("testActionOutput", []):
                if output["name"] == "test.xml":
                    path = urllib.parse.unquote(urllib.parse.urlparse(output["uri"]).path)
                    try:
                        counts = count_cases(path)
                    except (OSError, xml.etree.ElementTree.ParseError):
                        pass  # Killed while it wrote the file.
            if result["status"] != "PASSED" and counts[1] == 0:
                counts = (counts[0], 1, counts[2])
            totals = [total + count for total, count in zip(totals, counts)]
    passed, failed, skipped = totals
    if status != 0 and failed == 0:
        failed = 1  # Something did not even build.
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
