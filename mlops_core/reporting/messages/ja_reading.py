"""Japanese words for what reading a file found and repaired (`mlops_core.jobs.reading`)."""

from __future__ import annotations

READING: dict[str, str] = {
    "finding.w_data_020": "ファイルは UTF-8 ではないため、{encoding} として読み取りました",
    "finding.w_data_021": "NUL 文字 {count:,} 個を取り除きました",
    "finding.w_data_022": "見出し行より上の {count:,} 行を読み飛ばしました",
    "finding.w_data_023": "値の個数が見出しと異なる {rows:,} 行を除外しました（最初の行番号：{lines}）",
    "finding.w_data_024": "データの途中に見出し行がさらに {count:,} 回あり、除外しました",
    "finding.w_data_025": "末尾の合計行を除外しました",
    "finding.w_data_026": "区切り記号のある数値を読み取りました（{notation}：comma は小数点がコンマ、thousands は桁区切り）",
    "finding.w_data_027": "{values:,} 個の値から通貨記号を外しました（金額は換算していません）",
    "finding.w_data_028": "最初の値の {share:.0%} が {formats} 種類の書式の日付らしいですが文字列のまま扱います。ISO 形式で書いてください",
    "finding.w_data_029": "{values:,} 個の値の空白を除くか、最も多い表記にそろえました（ほかの表記：{spellings} 通り）",
    "finding.w_data_030": "{values:,} 個の値が四分位範囲の 20 倍を超えて外れています。単位違い、コード、誤りの可能性があります",
    "finding.w_data_031": "欠損を表すことの多い数値があります：{codes}",
    "finding.w_data_032": "時間分割の間隔にある {gap:,} 行と、時刻のない {without_time:,} 行を除外しました",
    "finding.w_data_032_no_gap": "時刻のない {without_time:,} 行を除外しました",
    "finding.w_data_032_no_without_time": "時間分割の間隔にある {gap:,} 行を除外しました",
    "finding.w_data_033": "入力が同じでラベルの異なる行が {groups:,} 組、{rows:,} 行あります",
    "finding.w_data_034": "依頼どおり、10 行未満のクラスの行を除きました（{listed}）",
}
