"""English words of how columns go with the target and with each other."""

from __future__ import annotations

RELATIONS: dict[str, str] = {
    "relations.title": "What goes with {target}",
    "relations.alt": "{column}: {sign} {value} on {rows} rows",
    "relations.with_area": "{sign}, AUC {area}",
    "relations.with_rows": "{told}, {rows} rows",
    "relations.all_rows": "All {rows} training rows; each column where it holds a value. 0: not at all, 1: wholly.",
    "relations.some_rows": "{rows} of {of} training rows, spread evenly; each column where it holds a value. 0: not at all, 1: wholly.",
    "relations.note_spearman": "ρ: Spearman's rank correlation, its sign the direction.",
    "relations.note_eta": "η: correlation ratio of a number and groups, less what chance gives.",
    "relations.note_cramers_v": "V: Cramér's V of two categories, less what chance gives.",
    "relations.note_area": "AUC: how often a row of {positive} has the greater number than a row of the other class; 0.5: as often as not.",
    "relations.nearly_all": "Over 0.95: will the column be known when the model is asked?",
    "relations.map": "How the numeric columns go together",
    "relations.map_alt": "Correlations of {count} numeric columns; the strongest is {r}, of {left} and {right}",
    "relations.map_note": (
        "Pearson's r on the rows that hold both values, for {count} numeric columns, those that go most with the target first."
    ),
    "relations.together": "rise together",
    "relations.against": "one falls as the other rises",
    "relations.twins": "{count} {count:pair says|pairs say} nearly the same (over 0.95): one of each would do",
    "relations.more_pairs": "{count} more",
    "relations.pair": "{left} and {right}: r {r}",
}
