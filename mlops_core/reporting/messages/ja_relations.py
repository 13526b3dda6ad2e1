"""Japanese words of how columns go with the target and with each other."""

from __future__ import annotations

RELATIONS: dict[str, str] = {
    "relations.title": "{target} との関連が強い列",
    "relations.alt": "{column}：{sign} {value}、{rows} 行",
    "relations.with_area": "{sign}、AUC 値 {area}",
    "relations.with_rows": "{told}、{rows} 行",
    "relations.all_rows": "学習の全 {rows} 行のうち、各列に値がある行で計算。0：関連なし、1：完全に決まる。",
    "relations.some_rows": "学習 {of} 行からファイル全体に散らばる {rows} 行を取り、各列に値がある行で計算。0：関連なし、1：完全に決まる。",
    "relations.note_spearman": "ρ：スピアマンの順位相関、符号は向き。",
    "relations.note_eta": "η：数値とグループの相関比、偶然の分を除いた値。",
    "relations.note_cramers_v": "V：カテゴリどうしのクラメールの V、偶然の分を除いた値。",
    "relations.note_area": "AUC：{positive} の行の数値が他のクラスの行より大きい割合、0.5 は半々。",
    "relations.nearly_all": "0.95 を超える列：予測の時点でも分かっている値ですか。",
    "relations.map": "数値の列どうしの相関",
    "relations.map_alt": "数値の列 {count} 個の相関。最も強いのは {left} と {right} の {r}",
    "relations.map_note": "両方に値がある行でのピアソンの r。数値の列 {count} 個、目的変数との関連が強い順。",
    "relations.together": "一緒に増える",
    "relations.against": "一方が増えると他方は減る",
    "relations.twins": "ほぼ同じ内容の列が {count} 組（0.95 超）：各組とも片方で足ります",
    "relations.more_pairs": "ほか {count} 組",
    "relations.pair": "{left} と {right}：r {r}",
}
