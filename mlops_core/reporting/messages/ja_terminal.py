"""Japanese words of what `mlops run` and `mlops demo` print."""

from __future__ import annotations

TERMINAL: dict[str, str] = {
    "terminal.issue": "Issue のページ：{address}",
    "terminal.form_issue": "フォームから Issue を作成しました：{address}",
    "terminal.labelled": "ラベル {label} を付けました。呼び出し側のワークフローが始まります",
    "terminal.task": "タスク {task}（列 {column!r} から判断。変えるには --task）",
    "terminal.run": "実行 {run}",
    "terminal.time": "時間",
    "terminal.waiting": "待機",
    "terminal.running": "実行中",
    "terminal.done": "完了",
    "terminal.failed": "失敗",
    "terminal.skipped": "省略",
    "terminal.head_reason": "理由",
    "terminal.head_validation": "検証",
    "terminal.head_test": "テスト",
    "terminal.head_baseline": "ベースライン",
    "terminal.head_verdict": "判定",
    "terminal.head_warning": "警告",
    "terminal.head_more": "詳しく",
    "terminal.head_endpoint": "推論",
    "terminal.head_issue": "Issue のページ",
    "terminal.head_report": "レポート",
    "terminal.head_prediction": "予測",
    "terminal.head_pages": "画面",
    "terminal.rows": "{rows:,} 行",
    "terminal.kept": "プラットフォームは起動したままです。止めるには `{command}`。",
}
