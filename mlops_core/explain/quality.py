"""What the errors and warnings of the quality gate mean: means, why and next act in English, then the same in Japanese."""

from __future__ import annotations

ROWS: dict[str, tuple[str, str, str, str, str, str]] = {
    "E-QUALITY-001": (
        (
            "A split breaks the schema of the training rows: other columns or types, rows without a target, a class that training does not"
            " know, or, in a test file of yours, a column without a value that training fills."
        ),
        "Figures of such a split would say nothing about the model: an empty column is filled with the training median in every row.",
        "Compare the named columns of both files: same names, same types, same spelling of the classes, filled alike. Then label again.",
        "分割が学習データの構造と一致しません（列や型の違い、目的変数の欠損、未知のクラス、またはテストファイルでの空の列）。",
        "そのような分割の数値はモデルについて何も語りません。空の列は全行が学習の中央値で補われます。",
        "示された列を両方のファイルで比べ、列名、型、クラスの表記、値の有無をそろえてから、再度ラベルを付けてください。",
    ),
    "E-QUALITY-002": (
        "The policy says data_suite: run, and the image of the data job holds no great-expectations.",
        "The package takes 256 MiB and 6 to 10 s to import, so an image may be built without it; the SQL checks run in any case.",
        "Build the work image with great-expectations, or take `data_suite: run` out of the policy file.",
        "ポリシーに data_suite: run とありますが、データジョブのイメージに great-expectations がありません。",
        "このパッケージは 256 MiB あり、読み込みに 6～10 秒かかるため、含めないイメージもあります。SQL の検査は常に行われます。",
        "great-expectations を含む work イメージを作るか、ポリシーファイルから `data_suite: run` を除いてください。",
    ),
    "E-QUALITY-003": (
        "The expectation suite was started and did not end well.",
        "The gate answers either what the sample says or nothing; a suite that broke off is no answer.",
        "Read the data job's log, and report the message; `data_suite: write` lets runs go on meanwhile.",
        "期待値スイートの実行が正常に終わりませんでした。",
        "途中で止まったスイートは、データについての答えになりません。",
        "データジョブのログを確認して報告してください。その間は `data_suite: write` で実行を続けられます。",
    ),
    "W-QUALITY-001": (
        "A column of the validation or test split misses values far more often than in training (over 10 points).",
        "The model meets filled-in values there that it hardly saw in training; often a source changed between the times of the rows.",
        "Find out since when the column is empty. Drop it, or train on rows that are filled like those to come.",
        "検証またはテストの分割で、ある列の欠損が学習より 10 ポイント以上多くなっています。",
        "学習でほとんど見ていない補完値で予測することになります。途中で出所が変わったときによく起こります。",
        "いつから空なのかを確認し、列を除くか、今後のデータと同じように値のある行で学習してください。",
    ),
    "W-QUALITY-002": (
        "More than 1 % of a column's values lie outside the range of the training rows.",
        "Trees answer beyond the range as at its end, and straight lines go on without a bound: both are guesses.",
        "Check the unit and the export. When the values are right, train on rows that cover the range.",
        "ある列の値の 1 % を超える部分が、学習の行の範囲の外にあります。",
        "範囲の外では、木は端と同じ答えを返し、直線は際限なく伸びます。どちらも当て推量です。",
        "単位と書き出しを確認してください。値が正しければ、その範囲を含む行で学習してください。",
    ),
    "W-QUALITY-003": (
        "More than 5 % of a text column's values are categories that training lacks.",
        "An unknown category gives the model nothing: it looks like a row without that column.",
        "Check the spelling (blanks, capitals, languages). Fold rare categories (rare_share), or take columns of free text out.",
        "ある文字の列の値の 5 % を超える部分が、学習にないカテゴリです。",
        "未知のカテゴリはモデルに何も伝えず、その列がない行と同じになります。",
        "表記（空白、大文字、言語）を確認し、まれなカテゴリをまとめる（rare_share）か、自由記述の列を除いてください。",
    ),
    "W-QUALITY-004": (
        "Some expectations of the generated suite do not hold on the sample of all prepared rows.",
        "They were fitted on training rows: what breaks them is unlike training. The report lists each with its share.",
        "Read the expectations in the data quality report; those on the target and the columns matter most.",
        "生成した期待値のうち、準備済みデータの標本で成り立たないものがあります。",
        "期待値は学習の行から作られています。成り立たない値は学習と異なります。一覧と割合はレポートにあります。",
        "データ品質レポートで期待値を確認してください。目的変数と列に関するものが特に重要です。",
    ),
}
