"""What intake says to people, in English and Japanese, by stable code.

    headline("E-PARSE-007", "ja")       # one sentence: what is wrong
    next_act("E-PARSE-007", "en")       # one sentence: what to change

Texts hold no placeholders: the field, the written value, the allowed values and a spelling hint are shown beside them, so nothing a
person wrote is ever formatted into a sentence.
"""

from __future__ import annotations

from mlops_core.contracts.request import Language

Text = dict[Language, str]

_FIX: Text = {
    "en": "Edit the issue and label it again.",
    "ja": "Issue を編集し、ラベルを付け直してください。",
}

HEADLINES: dict[str, Text] = {
    "E-PARSE-001": {
        "en": "The issue is longer than 65,536 bytes and was not read.",
        "ja": "Issue が 65,536 バイトを超えているため、読み取りませんでした。",
    },
    "E-PARSE-002": {"en": "This required field is empty.", "ja": "必須項目が空です。"},
    "E-PARSE-003": {"en": "This heading is not a field of the form.", "ja": "この見出しはフォームの項目ではありません。"},
    "E-PARSE-004": {"en": "This field stands in the issue more than once.", "ja": "この項目が複数あります。"},
    "E-PARSE-005": {"en": "There is text before the first field.", "ja": "最初の項目より前に文字があります。"},
    "E-PARSE-006": {"en": "This algorithm is not offered for the task.", "ja": "このアルゴリズムはこのタスクでは使えません。"},
    "E-PARSE-007": {"en": "This is not one of the choices.", "ja": "選択肢にない値です。"},
    "E-PARSE-008": {"en": "There is a character that may not stand here.", "ja": "使えない文字が含まれています。"},
    "E-PARSE-010": {"en": "This field takes one line.", "ja": "この項目は 1 行だけです。"},
    "E-PARSE-011": {"en": "This value is too long.", "ja": "値が長すぎます。"},
    "E-PARSE-012": {
        "en": "Code fences, HTML comments and HTML blocks hold no values.",
        "ja": "コードブロック、HTML コメント、HTML ブロックの中には値を書けません。",
    },
    "E-PARSE-013": {
        "en": "This is not a plain decimal number in the allowed range.",
        "ja": "許された範囲の 10 進数(半角)ではありません。",
    },
    "E-PARSE-014": {"en": "This is not a model name.", "ja": "モデル名として使えません。"},
    "E-PARSE-015": {"en": "This model name is reserved by an operating system.", "ja": "OS の予約語のため使えません。"},
    "E-PARSE-016": {"en": "This is not a plain S3 address of one file.", "ja": "1 つのファイルを指す S3 の URI ではありません。"},
    "E-PARSE-017": {"en": "This address is outside the allowed bucket and folder.", "ja": "許可されたバケットとフォルダーの外です。"},
    "E-PARSE-018": {"en": "This is not an immutable dataset version.", "ja": "固定されたデータのバージョンではありません。"},
    "E-PARSE-019": {"en": "This column is named twice.", "ja": "同じ列が 2 回書かれています。"},
    "E-PARSE-020": {"en": "This hyperparameter cannot have this value.", "ja": "ハイパーパラメータの値が正しくありません。"},
    "E-PARSE-021": {"en": "This hyperparameter is not known to the algorithm.", "ja": "このアルゴリズムにないハイパーパラメータです。"},
    "E-PARSE-022": {"en": "This line is not 'name = value'.", "ja": "「名前 = 値」の形ではない行です。"},
    "E-PARSE-023": {"en": "This hyperparameter is set twice.", "ja": "同じハイパーパラメータが 2 回書かれています。"},
    "E-PARSE-024": {"en": "There are too many entries or lines.", "ja": "件数または行数が多すぎます。"},
    "E-PARSE-025": {"en": "This metric does not measure this task.", "ja": "このタスクには使えない指標です。"},
    "E-PARSE-026": {"en": "A positive label belongs to a binary task only.", "ja": "正例ラベルは二値分類だけで使います。"},
    "E-PARSE-027": {"en": "The target column cannot be dropped.", "ja": "目的変数を除外することはできません。"},
    "E-PARSE-028": {"en": "The test dataset is the dataset itself.", "ja": "テストデータがデータセットと同じです。"},
    "E-PARSE-029": {"en": "There are more problems than are listed.", "ja": "ほかにも問題があります。"},
    "E-PARSE-030": {
        "en": "A code fence or HTML block that starts here never ends, so the fields after it were not read.",
        "ja": "ここで始まるブロックが閉じていないため、以降の項目を読み取れませんでした。",
    },
    "E-PARSE-031": {"en": "The issue is empty: no field was found.", "ja": "Issue が空です。項目が見つかりません。"},
    "E-PARSE-032": {"en": "This line is not a derived feature.", "ja": "派生特徴量の書き方ではない行です。"},
    "E-PARSE-033": {"en": "This field belongs to another choice.", "ja": "この項目は別の選択のときだけ使います。"},
    "E-PARSE-034": {"en": "The target column cannot be used here.", "ja": "目的変数はここでは使えません。"},
}

_USE_FORM: Text = {"en": "Open a new issue from the form and label it.", "ja": "フォームから Issue を作り直し、ラベルを付けてください。"}
_REMOVE: Text = {"en": "Remove it and label the issue again.", "ja": "取り除いてから、ラベルを付け直してください。"}

NEXT_ACTS: dict[str, Text] = {
    "E-PARSE-001": _USE_FORM,
    "E-PARSE-003": _REMOVE,
    "E-PARSE-004": {"en": "Keep one of them and label the issue again.", "ja": "1 つだけ残し、ラベルを付け直してください。"},
    "E-PARSE-005": _REMOVE,
    "E-PARSE-012": _REMOVE,
    "E-PARSE-029": {"en": "Mend the ones above first.", "ja": "まず上の問題を直してください。"},
    "E-PARSE-030": {
        "en": "Close or remove the block and label the issue again.",
        "ja": "ブロックを閉じるか取り除き、ラベルを付け直してください。",
    },
    "E-PARSE-031": _USE_FORM,
}

PHRASES: dict[str, Text] = {
    "title": {"en": "The training request was not started", "ja": "学習依頼を開始できませんでした"},
    "intro": {
        "en": "Nothing was run and no cloud credential was requested. What to change:",
        "ja": "何も実行しておらず、クラウドの認証情報も要求していません。直す点:",
    },
    "allowed": {"en": "Allowed", "ja": "使える値"},
    "required": {"en": "Required", "ja": "必須項目"},
    "character": {"en": "Refused character", "ja": "使えない文字"},
    "hint": {"en": "Did you mean", "ja": "もしかして"},
    "written": {"en": "What was written, made harmless:", "ja": "書かれていた値(無害化済み):"},
    "line": {"en": "line", "ja": "行"},
    "stranger_title": {"en": "A label does not start a run by itself", "ja": "ラベルだけでは開始されません"},
    "stranger": {
        "en": "Only people with write, maintain or admin permission on this repository can start a run. Ask one of them to set the label.",
        "ja": "開始できるのは、このリポジトリの write・maintain・admin 権限を持つ人だけです。その人にラベルを付けてもらってください。",
    },
    "unverified": {
        "en": "The permission of the person who set the label could not be verified, so nothing was started. Set the label again later.",
        "ja": "ラベルを付けた人の権限を確認できなかったため、開始していません。後でラベルを付け直してください。",
    },
    "edited": {
        "en": "The issue was edited after the label was set, so the label no longer approves what stands here. Set the label again.",
        "ja": "ラベルの後に Issue が編集されたため、承認が無効になりました。ラベルを付け直してください。",
    },
    "started": {"en": "The run is started", "ja": "実行を開始しました"},
    "adopted": {"en": "This request is answered by a run that exists already", "ja": "この依頼には既存の実行が対応しています"},
}


def headline(code: str, language: Language) -> str:
    """What is wrong, one sentence."""
    return HEADLINES[code][language]


def next_act(code: str, language: Language) -> str:
    """What to do about it, one sentence."""
    return NEXT_ACTS.get(code, _FIX)[language]


def phrase(key: str, language: Language) -> str:
    """A fixed phrase of the comments."""
    return PHRASES[key][language]
