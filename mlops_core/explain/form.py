"""Why a problem of a filled form (E-PARSE-…) is one and what to do about it, in English and Japanese.

Their sentences and short next acts stand in `mlops_core/intake/messages.py`, where the answers on issues are made.
"""

from __future__ import annotations

WHY: dict[str, tuple[str, str]] = {
    "E-PARSE-001": (
        "A form has a few hundred bytes; longer text is refused unread, so that nobody can keep the parser busy.",
        "フォームは数百バイトです。長すぎる文章は、処理を占有されないよう読まずに拒否します。",
    ),
    "E-PARSE-002": (
        "The field decides what is trained; a guess could cost hours of a machine.",
        "学習の内容を決める項目です。推測すると何時間もの計算が無駄になりかねません。",
    ),
    "E-PARSE-003": (
        "A field that is not known would be ignored, and you would believe that it counted.",
        "知らない項目を無視すると、反映されたと誤解させてしまいます。",
    ),
    "E-PARSE-004": (
        "Two values for one field: the last one would win silently, as in JSON and YAML.",
        "1 つの項目に 2 つの値があると、JSON や YAML のように後の値が黙って使われてしまいます。",
    ),
    "E-PARSE-005": (
        "Text outside the fields has no meaning to a machine and may hide an instruction.",
        "項目の外の文章は機械には意味がなく、指示が紛れ込むおそれがあります。",
    ),
    "E-PARSE-006": (
        "Each method learns certain tasks only: linear regression predicts numbers, logistic regression classes.",
        "手法ごとに扱えるタスクが決まっています。線形回帰は数値、ロジスティック回帰はクラスを予測します。",
    ),
    "E-PARSE-007": (
        "The choices are exact words, so the same issue means the same run every time.",
        "選択肢は決まった語です。同じ Issue は常に同じ実行を意味します。",
    ),
    "E-PARSE-008": (
        "Control, invisible and look-alike characters can make two names look the same to a reader.",
        "制御文字や見えない文字、似た文字は、別の名前を同じに見せることがあります。",
    ),
    "E-PARSE-010": (
        "More lines would be read as other fields in some readers and not in others.",
        "複数行にすると、読み手によって別の項目と解釈されることがあります。",
    ),
    "E-PARSE-011": (
        "A column's name has at most 256 characters and any other value 1,100; longer text was nearly always pasted into the wrong field.",
        "列名は 256 文字、その他の値は 1,100 文字までです。それより長い文章は、貼り付ける項目を間違えた場合がほとんどです。",
    ),
    "E-PARSE-012": (
        "What a reader of the issue does not see as a field must not be one for the machine.",
        "人に項目として見えないものを、機械が項目として扱うことはありません。",
    ),
    "E-PARSE-013": (
        "`1_000`, `0x1F`, `NaN` or full-width digits are numbers to some programs and not to others; only plain decimals are taken.",
        "`1_000`、`0x1F`、`NaN`、全角数字などはプログラムによって解釈が異なるため、普通の 10 進数だけを受け付けます。",
    ),
    "E-PARSE-014": (
        "The name becomes the name of jobs, endpoints and folders; SageMaker's own pattern is used.",
        "モデル名はジョブ、エンドポイント、フォルダーの名前になるため、SageMaker の規則に従います。",
    ),
    "E-PARSE-015": (
        "A folder of this name cannot be checked out on Windows.",
        "この名前のフォルダーは Windows では取り出せません。",
    ),
    "E-PARSE-016": (
        "Only one spelling of an address exists: no `..`, no escapes, no query, no account, so that what is checked is what is read.",
        "アドレスの書き方は 1 通りだけです。確認したものと読み込むものを一致させるためです。",
    ),
    "E-PARSE-017": (
        "The jobs may read this folder alone; another address would fail later or reach foreign data.",
        "ジョブが読めるのはこのフォルダーだけです。",
    ),
    "E-PARSE-018": (
        "`latest` changes under a run; an approved version must stay the one that is read.",
        "`latest` は実行中に変わり得ます。承認したバージョンがそのまま読まれる必要があります。",
    ),
    "E-PARSE-019": ("One of the two is probably meant to be another column.", "片方は別の列のつもりである可能性が高いです。"),
    "E-PARSE-020": (
        "Outside the range the method fails or needs days; the range is shown beside the value.",
        "範囲外の値では手法が失敗するか、何日もかかります。範囲は値の横に示しています。",
    ),
    "E-PARSE-021": (
        "A misspelt parameter would be ignored and the default used instead.",
        "綴りの違うパラメータを無視すると、既定値のまま学習してしまいます。",
    ),
    "E-PARSE-022": (
        "One rule for every line keeps the meaning of the text unambiguous.",
        "すべての行を同じ書き方にすると、意味が 1 通りに決まります。",
    ),
    "E-PARSE-023": ("The last of two values would win silently.", "2 つの値の後の方が黙って使われてしまいます。"),
    "E-PARSE-024": (
        "The bound keeps the parser fast for everybody; real requests stay far below it.",
        "読み取りを速く保つための上限です。通常の依頼ははるかに少なく収まります。",
    ),
    "E-PARSE-025": (
        "Accuracy means nothing for numbers, and RMSE nothing for classes.",
        "数値の予測に正解率は使えず、クラスの予測に RMSE は使えません。",
    ),
    "E-PARSE-026": (
        "With three classes or a number there is no single 'positive' side.",
        "3 クラス以上や数値では、正例という 1 つの側がありません。",
    ),
    "E-PARSE-027": ("Without the target there is nothing to learn.", "目的変数がなければ学習できません。"),
    "E-PARSE-028": (
        (
            "A model asked about the rows it has learnt looks perfect and is not. Measured: 937 duplicates across the two sides lift R² on"
            " the white wine quality data from 0.378 to 0.495."
        ),
        (
            "学習した行で採点すると良く見えるだけです。実測：白ワインの品質データでは重複行が両側にあるだけで R² が 0.378 から 0.495 に"
            "上がりました。"
        ),
    ),
    "E-PARSE-029": ("The list is bounded so that the comment stays readable.", "コメントを読みやすく保つため、一覧には上限があります。"),
    "E-PARSE-030": (
        "Everything after an open block is part of it, so fields below were not seen.",
        "閉じていないブロックの後はすべてその中とみなされ、以降の項目が見えません。",
    ),
    "E-PARSE-031": (
        "The form writes the fields; an empty issue was opened in another way.",
        "項目はフォームが書き込みます。空の Issue は別の方法で作られたものです。",
    ),
    "E-PARSE-032": (
        "A derived feature is a fixed grammar and never a program: the ratio, the product or the cross of two named columns.",
        "派生特徴量は決まった書き方だけで、プログラムは書けません。2 つの列の比、積、組み合わせを指定します。",
    ),
    "E-PARSE-033": (
        "The field would have no effect with the choice that was made, and you would believe that it counted.",
        "いまの選択では効果がなく、反映されたと誤解させてしまいます。",
    ),
    "E-PARSE-034": (
        "Features made from the target give the answer away; the figures would be perfect and worthless.",
        "目的変数から作った特徴量は答えそのもので、指標は完璧でも意味がありません。",
    ),
}

ACT: dict[str, tuple[str, str]] = {
    "E-PARSE-002": (
        "Fill the field in the issue; the message shows what it takes. Then label it again.",
        "Issue のその項目に記入し（書ける値はメッセージにあります）、ラベルを付け直してください。",
    ),
    "E-PARSE-006": (
        'Choose a method that the message lists for the task, or "auto", and label the issue again.',
        "メッセージにある、そのタスクで使える手法か「auto」を選び、ラベルを付け直してください。",
    ),
    "E-PARSE-007": (
        "Copy one of the choices of the message exactly as it is written, and label the issue again.",
        "メッセージにある選択肢をそのまま写し、ラベルを付け直してください。",
    ),
    "E-PARSE-008": (
        "Type the value by hand instead of pasting it; a column with such a name must be renamed in the data. Then label the issue again.",
        "貼り付けずに入力し直してください。列名に含まれる場合はデータの列名を変え、ラベルを付け直してください。",
    ),
    "E-PARSE-010": (
        "Write the value on one line and label the issue again.",
        "値を 1 行で書き、ラベルを付け直してください。",
    ),
    "E-PARSE-011": (
        "Shorten the value, or rename the column in the data, and label the issue again.",
        "値を短くするか、データの列名を短くして、ラベルを付け直してください。",
    ),
    "E-PARSE-013": (
        "Write the number with plain digits and a point, such as 0.85, within the range of the message; then label the issue again.",
        "0.85 のように半角数字と小数点だけで、メッセージの範囲内の数値を書き、ラベルを付け直してください。",
    ),
    "E-PARSE-014": (
        "Use lower-case letters, digits and single hyphens, at most 40, such as census-income; then label the issue again.",
        "census-income のように、半角の英小文字・数字・ハイフン（連続不可）を 40 文字以内で書き、ラベルを付け直してください。",
    ),
    "E-PARSE-015": (
        "Add a word to the name, such as aux-sales, and label the issue again.",
        "aux-sales のように語を足し、ラベルを付け直してください。",
    ),
    "E-PARSE-016": (
        "Write s3://BUCKET/datasets/NAME/FILE, as `mlops data add FILE` prints it, and label the issue again.",
        "`mlops data add FILE` が表示する s3://BUCKET/datasets/NAME/FILE の形で書き、ラベルを付け直してください。",
    ),
    "E-PARSE-017": (
        "Upload the file with `mlops data add FILE`, put the printed address into the issue and label it again.",
        "`mlops data add FILE` で登録し、表示された URI を Issue に書いてラベルを付け直してください。",
    ),
    "E-PARSE-018": (
        "Write a version such as v1.2.3 from an earlier run's comment, or leave the field empty; then label the issue again.",
        "以前の実行のコメントにある v1.2.3 のようなバージョンを書くか空欄にし、ラベルを付け直してください。",
    ),
    "E-PARSE-019": (
        "Remove the second mention, or put the column that was meant in its place, and label the issue again.",
        "重複を消すか、本来の列名に直して、ラベルを付け直してください。",
    ),
    "E-PARSE-020": (
        "Choose a value within the range of the message and label the issue again.",
        "メッセージにある範囲の値を選び、ラベルを付け直してください。",
    ),
    "E-PARSE-021": (
        "Use a name from the message's list, or choose the algorithm that has it; then label the issue again.",
        "メッセージの一覧にある名前を使うか、それを持つアルゴリズムを選び、ラベルを付け直してください。",
    ),
    "E-PARSE-022": (
        "Write one hyperparameter a line, such as max_depth = 6, and label the issue again.",
        "max_depth = 6 のように 1 行に 1 つずつ書き、ラベルを付け直してください。",
    ),
    "E-PARSE-023": (
        "Keep the line that you mean, remove the other one, and label the issue again.",
        "使う方の行だけを残し、ラベルを付け直してください。",
    ),
    "E-PARSE-024": (
        "Keep as many entries as the message allows, for columns by leaving them out of the file instead, and label the issue again.",
        "メッセージの上限まで減らし（列はファイルから除くこともできます）、ラベルを付け直してください。",
    ),
    "E-PARSE-025": (
        'Choose one of the metrics that the message lists for the task, or "auto", and label the issue again.',
        "メッセージにある、そのタスクの指標か「auto」を選び、ラベルを付け直してください。",
    ),
    "E-PARSE-026": (
        'Leave "Positive label" empty, or choose the task binary to predict this class against the rest; then label the issue again.',
        "「正例ラベル」を空にするか、そのクラスとそれ以外を予測するなら二値分類を選び、ラベルを付け直してください。",
    ),
    "E-PARSE-027": (
        'Take the target out of "Columns to drop", or name another target, and label the issue again.',
        "「除外する列」から目的変数を消すか、別の目的変数を指定し、ラベルを付け直してください。",
    ),
    "E-PARSE-028": (
        'Name a file of other rows, or leave "Test dataset" empty so that rows are held back; then label the issue again.',
        "別の行を持つファイルを指定するか、「テストデータ」を空にして一部を取り分け、ラベルを付け直してください。",
    ),
    "E-PARSE-032": (
        "Write one feature a line as A / B, A * B or A & B, with blanks around the sign, and label the issue again.",
        "A / B、A * B、A & B の形（記号の前後に空白）で 1 行に 1 つ書き、ラベルを付け直してください。",
    ),
    "E-PARSE-033": (
        "Empty the field, or make the choice that the message names, and label the issue again.",
        "その項目を空にするか、メッセージにある選択に変えて、ラベルを付け直してください。",
    ),
    "E-PARSE-034": (
        "Name another column there and label the issue again.",
        "そこには別の列を指定し、ラベルを付け直してください。",
    ),
}
"""What to do about a problem, where the act of `mlops_core/intake/messages.py` is the one for all."""
