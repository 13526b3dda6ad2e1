"""Japanese words of the leaks, traps and shifts that the data and evaluation jobs find."""

from __future__ import annotations

CHECKS: dict[str, str] = {
    "word.sum": "和",
    "word.product": "積または比",
    "finding.e_quality_001": "{check}：不合格（{split} {rows:,} 行のうち {count:,} 行）",
    "finding.w_leak_001": "この列だけで目的変数が決まります（学習 {rows:,} 行で {metric} {score:.4f}）。写しではありませんか",
    "finding.w_leak_002": "これらの列の{form}が目的変数になります（学習 {rows:,} 行で R² {score:.6f}）。答えの一部が表にあります",
    "finding.w_leak_003": (
        "重複した行が {rows:,} 行あります。行ごとに分割した試験モデルの{metric}は {apart:.3f}、"
        "等しい行を同じ側に置くと {together:.3f} です。等しい行は同じ側に置きました"
    ),
    "finding.w_leak_004": (
        "この順に分布が変わります（{drifting}）。試験モデルの{metric}は無作為分割で {random:.3f}、時間順の分割で {in_time:.3f}"
        "（後半 {rows:,} 行）です。時間による分割を選んでください"
    ),
    "finding.w_leak_004_file": (
        "ファイルの順に分布が変わります（{drifting}）。試験モデルの{metric}は無作為分割で {random:.3f}、ファイル順の分割で {in_time:.3f}"
        "（後半 {rows:,} 行）です。時間順に並んでいるなら時間による分割を選んでください"
    ),
    "finding.w_leak_005": "{of:,} 行のうち {rows:,} 行で {time} より後の日付です。予測の時点で分かる値ですか",
    "finding.w_leak_006": "{split}の {share:.1%} は、行番号と識別子以外が学習データの行と同じです（調べた {of:,} 行のうち {rows:,} 行）",
    "finding.w_shift_001": "{split}での分布が学習データと異なります（PSI は最大 {psi:.2f}、0.2 を超えています）",
    "finding.w_shift_002": "{split}での目的変数の分布が学習データと異なります（PSI {psi:.2f}、0.2 を超えています）",
    "finding.w_eval_001": "{split}の {rows:,} 行すべてに 1 つのクラス（{label}）だけを答えています。クラスは {classes} 個あります",
    "finding.w_eval_002": "{split}（{rows:,} 行）の{metric}が {score:.6f} と良すぎます。信じる前にリークを疑ってください",
    "finding.w_eval_003": "{split}の {rows:,} 行すべてに同じ数値を答えています",
    "finding.w_eval_004": "{split}で保護属性 {columns} 列を比較していません（列がないか、10 行以上のグループが 2 つない）",
}
