"""Makes src/qa/lower_tables.h and tests/qa/data/lower.txt from the str.lower() of this Python.

Run with Python 3.11 (Unicode 14), from the root of the repository:
    python3.11 tools/goldens/pipeline_lower.py

Python tells nothing about Cased and Case_Ignorable, but its treatment of a capital sigma does:
a character before the sigma is skipped when it is case-ignorable, else it must be cased.
"""
import unicodedata

SIGMA = "\N{GREEK CAPITAL LETTER SIGMA}"
FINAL = "\N{GREEK SMALL LETTER FINAL SIGMA}"
HEAD = """// Made by tools/goldens/pipeline_lower.py from str.lower() of Python 3.11 (Unicode 14.0.0).
#pragma once

#include <cstdint>

namespace lambert {

"""


def scalars():
    return (chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF)


def lower_ranges():
    """[first, last, step, delta]: each step-th code point of first..last maps to itself + delta."""
    ranges = []
    for char in scalars():
        low = char.lower()
        if len(low) != 1 or low == char or char == SIGMA:
            continue
        code, delta = ord(char), ord(low) - ord(char)
        if ranges and ranges[-1][3] == delta:
            gap = code - ranges[-1][1]
            if gap in (1, 2) and (ranges[-1][0] == ranges[-1][1] or ranges[-1][2] == gap):
                ranges[-1][1:3] = [code, gap]
                continue
        ranges.append([code, code, 1, delta])
    return ranges


def code_ranges(chars):
    ranges = []
    for code in map(ord, chars):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return ranges


def write_ranges(out, name, kind, ranges):
    out.write(f"inline constexpr {kind} {name}[] = {{\n")
    line = "   "
    for values in ranges:
        item = " {" + ", ".join(hex(v) if i < 2 else str(v) for i, v in enumerate(values)) + "},"
        if len(line) + len(item) > 100:
            out.write(line + "\n")
            line = "   "
        line += item
    out.write(line + "\n};\n\n")


def fnv1a(texts):
    value = 0xCBF29CE484222325
    for text in texts:
        for byte in text.encode():
            value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def main():
    assert unicodedata.unidata_version == "14.0.0", unicodedata.unidata_version
    after_start = {c for c in scalars() if (c + SIGMA).lower().endswith(FINAL)}
    after_letter = {c for c in scalars() if ("a" + c + SIGMA).lower().endswith(FINAL)}
    with open("src/qa/lower_tables.h", "w") as out:
        out.write(HEAD)
        out.write("struct LowerRange {\n  char32_t first, last;\n  std::uint32_t step;\n"
                  "  std::int32_t delta;\n};\n\nstruct CodePointRange {\n  char32_t first, last;\n};\n\n")
        out.write("// Letters whose lower case is one other code point, the capital sigma left out.\n")
        write_ranges(out, "kLowerRanges", "LowerRange", lower_ranges())
        out.write("// Case_Ignorable.\n")
        write_ranges(out, "kCaseIgnorable", "CodePointRange",
                     code_ranges(sorted(after_letter - after_start)))
        out.write("// Cased and not Case_Ignorable.\n")
        write_ranges(out, "kCased", "CodePointRange", code_ranges(sorted(after_start)))
        out.write("}  // namespace lambert\n")
    contexts = [("", ""), ("", SIGMA), ("a", SIGMA), ("a" + SIGMA, ""), ("a" + SIGMA, "a")]
    with open("tests/qa/data/lower.txt", "w") as out:
        out.write("# FNV-1a of the UTF-8 of (before + c + after).lower() for all scalars c\n")
        for before, after in contexts:
            digest = fnv1a((before + c + after).lower() for c in scalars())
            out.write(f"{digest:016x} {before or '-'} {after or '-'}\n")


if __name__ == "__main__":
    main()
