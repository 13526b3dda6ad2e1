"""English words for what reading a file found and repaired (`mlops_core.jobs.reading`)."""

from __future__ import annotations

READING: dict[str, str] = {
    "finding.w_data_020": "the file is not UTF-8; it was read as {encoding}",
    "finding.w_data_021": "{count:,} NUL {count:character was|characters were} taken out",
    "finding.w_data_022": "{count:,} {count:line|lines} above the header {count:was|were} left out",
    "finding.w_data_023": (
        "{rows:,} {rows:row|rows} with more or fewer values than the header {rows:was|were} left out (first {rows:line|lines}: {lines})"
    ),
    "finding.w_data_024": "the header stood {count:,} more {count:time|times} among the rows and was left out there",
    "finding.w_data_025": "a line of totals at the end was left out",
    "finding.w_data_026": "numbers with separators were read ({notation}: comma is the decimal mark, thousands the separator of groups)",
    "finding.w_data_027": "{values:,} {values:value carries|values carry} a currency mark; it was taken off, amounts were not converted",
    "finding.w_data_028": "{share:.0%} of the first values look like dates in {formats} formats; kept as text, write ISO dates",
    "finding.w_data_029": (
        "{values:,} {values:value|values} lost blanks around {values:it|them} or joined the most frequent spelling ({spellings} "
        "{spellings:other|others})"
    ),
    "finding.w_data_030": (
        "{values:,} {values:value lies|values lie} over 20 interquartile ranges outside the quartiles: another unit, a code or an error?"
    ),
    "finding.w_data_031": "numbers that often stand for missing values: {codes}",
    "finding.w_data_032": (
        "{gap:,} {gap:row|rows} in the gaps of the split by time and {without_time:,} {without_time:row|rows} without a time were left out"
    ),
    "finding.w_data_032_no_gap": "{without_time:,} {without_time:row|rows} without a time {without_time:was|were} left out",
    "finding.w_data_032_no_without_time": "{gap:,} {gap:row|rows} in the gaps of the split by time {gap:was|were} left out",
    "finding.w_data_033": "{rows:,} rows in {groups:,} {groups:group|groups} have equal inputs and different labels",
    "finding.w_data_034": "the rows of classes with fewer than ten were left out, as the request asks ({listed})",
}
