"""What the errors about an issue, a comment or an event mean: means, why and next act in English, then the same in Japanese.

An issue's own problems (E-PARSE-…) already have their sentence and their next act in `mlops_core/intake/messages.py`; here is why.
"""

from __future__ import annotations

PARSE_WHY: dict[str, tuple[str, str]] = {
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
        "Names become names of jobs and folders, which have limits.",
        "値はジョブやフォルダーの名前になり、長さに上限があります。",
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
        "A derived feature is a fixed grammar and never a program: a ratio, a cross or a date part of named columns.",
        "派生特徴量は決まった書き方だけで、プログラムは書けません。列の比、組み合わせ、日付の部分を指定します。",
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

ROWS: dict[str, tuple[str, str, str, str, str, str]] = {
    "E-COMMAND-001": (
        "The comment's command does not exist.",
        "Only commands of the list are ever carried out; near spellings are shown and not taken.",
        "Comment again with one of the offered commands.",
        "そのコマンドはありません。",
        "実行するのは一覧にあるコマンドだけです。近い綴りは示しますが、勝手には使いません。",
        "使えるコマンドでコメントし直してください。",
    ),
    "E-COMMAND-002": (
        "One comment holds more than one command.",
        "Which one comes first, and what happens when the second fails, would be a guess.",
        "Write one comment per command.",
        "1 つのコメントに複数のコマンドがあります。",
        "順序や、片方が失敗したときの扱いが決まりません。",
        "コマンドごとにコメントを分けてください。",
    ),
    "E-COMMAND-003": (
        "The command is longer than is read.",
        "A command is a word and a few options; the bound keeps the parser fast.",
        "Shorten it and comment again.",
        "コマンドが長すぎます。",
        "コマンドは 1 語と少数の指定です。読み取りを速く保つための上限です。",
        "短くしてコメントし直してください。",
    ),
    "E-COMMAND-004": (
        "The command holds a character that is not plain ASCII.",
        "Look-alike and invisible characters can hide what a command really says.",
        "Type it again on the keyboard instead of pasting it, and comment anew.",
        "コマンドに ASCII 以外の文字が含まれています。",
        "似た文字や見えない文字は、コマンドの本当の内容を隠すことがあります。",
        "貼り付けずに半角で入力し直してください。",
    ),
    "E-COMMAND-005": (
        "This command is planned and not offered yet.",
        "Saying so is better than doing half of it.",
        "Use one of the offered commands.",
        "このコマンドは今後対応予定で、まだ使えません。",
        "途中までしか動かないより、使えないと伝える方が確実です。",
        "使えるコマンドを使ってください。",
    ),
    "E-COMMAND-006": (
        "`/retrain` names nothing to change, or too much.",
        "A round with the same settings gives the same model and costs the same again.",
        "Name what to change, for example `/retrain max_depth=8`.",
        "`/retrain` に変更点がないか、多すぎます。",
        "同じ設定なら同じモデルになり、費用だけがかかります。",
        "`/retrain max_depth=8` のように変更点を書いてください。",
    ),
    "E-COMMAND-007": (
        "An option is not written as name=value.",
        "Blanks around '=' would split it into words that could mean something else.",
        "Write name=value without blanks and comment again.",
        "指定が「名前=値」の形ではありません。",
        "= の前後に空白があると別々の語になり、意味が変わります。",
        "空白を入れずに書いてコメントし直してください。",
    ),
    "E-COMMAND-008": (
        "An option is set twice.",
        "The last one would win silently.",
        "Keep one and comment again.",
        "同じパラメータが 2 回指定されています。",
        "後の値が黙って使われてしまいます。",
        "1 つだけ残してコメントし直してください。",
    ),
    "E-COMMAND-009": (
        "The value is outside what the hyperparameter can be.",
        "The method would fail after the machine has been paid for.",
        "Choose a value of the range in the message and comment again.",
        "値がハイパーパラメータの範囲外です。",
        "そのままでは費用がかかった後に失敗します。",
        "メッセージにある範囲の値でコメントし直してください。",
    ),
    "E-COMMAND-010": (
        "The method has no hyperparameter of this name.",
        "A misspelt name would be ignored and the default used instead.",
        "Use a name of the list in the message and comment again.",
        "この手法にないハイパーパラメータです。",
        "無視すると既定値のまま学習してしまいます。",
        "メッセージの一覧にある名前でコメントし直してください。",
    ),
    "E-COMMAND-011": (
        "The run has no learning method yet.",
        "Which hyperparameters exist depends on the method, and the optimization station has not chosen it yet.",
        "Answer after the first round.",
        "学習手法がまだ決まっていません。",
        "使えるハイパーパラメータは手法によって異なります。",
        "最初のラウンドの後に回答してください。",
    ),
    "E-COMMAND-012": (
        "The command would change nothing.",
        "The same data, settings and seed give the same model.",
        "Name a value that differs from the last round's.",
        "前回と同じ値のため、何も変わりません。",
        "データ、設定、シードが同じなら同じモデルになります。",
        "異なる値を指定してください。",
    ),
    "E-EVENT-001": (
        "The event is not the JSON object that GitHub sends for an issue or a comment.",
        "Every value is checked before it is used; a missing one is never filled in.",
        "Let GitHub deliver the event again; by hand, copy one of `examples/`.",
        "GitHub が送るイベントの JSON ではありません。",
        "値は使う前にすべて確認し、欠けた値を補うことはしません。",
        "GitHub からイベントを再送してください。",
    ),
    "E-EVENT-002": (
        "The event's action is not one that starts anything here.",
        "A label that is set starts a run and a comment that is created answers it; edits never become commands.",
        "Trigger the workflow with the action that the message names.",
        "この処理の対象ではない種類のイベントです。",
        "開始するのはラベルの付与とコメントの作成だけです。編集がコマンドになることはありません。",
        "メッセージにあるイベントでワークフローを起動してください。",
    ),
    "E-EVENT-003": (
        "The event file is larger than is read.",
        "GitHub's events are far smaller; an endless file must not fill the memory.",
        "Let GitHub deliver the event again.",
        "イベントのファイルが大きすぎます。",
        "GitHub のイベントははるかに小さく、巨大なファイルでメモリを使い切らないための上限です。",
        "GitHub からイベントを再送してください。",
    ),
    "E-AUTH-002": (
        "GitHub did not say whether this person may start a run.",
        "Without an answer nothing is started: the check fails closed.",
        "Set the label again in a few minutes.",
        "この人に開始する権限があるかを GitHub に確認できませんでした。",
        "確認できないときは開始しません。",
        "数分後にラベルを付け直してください。",
    ),
    "E-RUN-LIVE": (
        "Another run of this issue is still going.",
        "Two runs of one issue would write the same living comment and the same history.",
        "Wait until it ends, then set the label again.",
        "この Issue では別の実行が進行中です。",
        "同時に 2 つ動くと、同じコメントと履歴を書き合うことになります。",
        "終了してからラベルを付け直してください。",
    ),
    "E-POLICY": (
        "The policy file .github/mlops.yml cannot be used.",
        "It says what may be deployed; a file that is half understood must not decide that.",
        "Correct the line that the message names on the default branch, then label the issue again.",
        "ポリシーファイル .github/mlops.yml に誤りがあります。",
        "何をデプロイしてよいかを決めるファイルなので、一部だけ解釈して使うことはしません。",
        "メッセージの行を既定ブランチで直し、ラベルを付け直してください。",
    ),
    "E-POLICY-COST": (
        "The request asks for more money than the policy allows.",
        "The ceiling belongs to the repository's owners and not to the person who fills the form.",
        'Lower "Maximum cost" in the issue, or have the policy changed on the default branch.',
        "費用の上限がポリシーの許す額を超えています。",
        "上限を決めるのはリポジトリの管理者です。",
        "Issue の費用の上限を下げるか、ポリシーを既定ブランチで変更してください。",
    ),
    "E-POLICY-INSTANCE": (
        "The policy does not allow this instance type.",
        "Large machines are granted by the repository's owners; the role denies others as well.",
        'Edit "Instance type" in the issue and label it again, or have the policy changed.',
        "ポリシーで許可されていないインスタンスタイプです。",
        "大きなマシンの使用は管理者が許可します。権限の側でも拒否されます。",
        "Issue のインスタンスタイプを変えてラベルを付け直すか、ポリシーを変更してください。",
    ),
    "E-POLICY-RETRAINS": (
        "The request asks for more rounds than the policy allows.",
        "Every round looks at the same validation rows again; many looks find a lucky model.",
        "Lower the number in the issue and label it again.",
        "再学習の回数がポリシーの上限を超えています。",
        "同じ検証データを何度も見るほど、偶然良く見えるモデルを選びやすくなります。",
        "Issue の回数を減らしてラベルを付け直してください。",
    ),
    "E-START-001": (
        "The start job runs on a runner that GitHub does not host.",
        "Whoever owns such a runner could take the AWS session; it is refused before the session is asked for.",
        "Let the workflow run on ubuntu-24.04 as it is written.",
        "開始ジョブが GitHub 提供のランナーで動いていません。",
        "自前のランナーの管理者は AWS のセッションを奪えるため、要求する前に拒否します。",
        "ワークフローのとおり ubuntu-24.04 で動かしてください。",
    ),
    "E-START-002": (
        "The job may not ask for an identity token.",
        "Without a token there is no AWS session, and there is no stored key to fall back on.",
        "Give the calling job `permissions: id-token: write` as in `examples/caller`.",
        "ジョブに ID トークンを要求する権限がありません。",
        "トークンがなければ AWS のセッションを得られません。保存された鍵はありません。",
        "呼び出し側のジョブに `permissions: id-token: write` を付けてください。",
    ),
    "E-START-003": (
        "The runner's token service said no.",
        "The identity of the workflow could not be proved to AWS.",
        "Check the job's permissions and the repository's settings for OIDC, then set the label again.",
        "ランナーのトークンサービスに拒否されました。",
        "ワークフローの身元を AWS に示せませんでした。",
        "ジョブの権限と OIDC の設定を確認し、ラベルを付け直してください。",
    ),
    "E-START-004": (
        "The runner's token service did not answer.",
        "It is asked a few times with growing pauses; a longer disturbance is GitHub's.",
        "Set the label again later.",
        "ランナーのトークンサービスが応答しませんでした。",
        "間隔を広げて何度か試しています。長い障害は GitHub 側のものです。",
        "後でラベルを付け直してください。",
    ),
    "E-START-005": (
        "What the intake job approved cannot be read by the start job.",
        "The two jobs share values only, never text; a broken value stops here.",
        "Set the label (or write the comment) again; if it stays, use the same version for all of the suite's workflows.",
        "受付ジョブが承認した内容を開始ジョブが読み取れません。",
        "2 つのジョブの間では値だけを渡します。壊れた値はここで止めます。",
        "ラベルまたはコメントをやり直してください。続く場合はワークフローのバージョンをそろえてください。",
    ),
    "E-START-006": (
        "The request or command is not the one that was checked: its digest differs.",
        "Something changed it between the two jobs, and only what was approved may run.",
        "Set the label (or write the comment) again.",
        "確認したものと異なる依頼またはコマンドです（ダイジェストの不一致）。",
        "2 つのジョブの間で変わっています。承認したものだけを実行します。",
        "ラベルまたはコメントをやり直してください。",
    ),
    "E-START-007": (
        "The request or command does not pass the parser a second time.",
        "The start job trusts nobody: it reads the values again with the same rules.",
        "Set the label (or write the comment) again; please report it when it stays.",
        "依頼またはコマンドが 2 度目の確認を通りませんでした。",
        "開始ジョブは前のジョブを信用せず、同じ規則で読み直します。",
        "ラベルまたはコメントをやり直してください。続く場合は報告してください。",
    ),
    "E-START-008": (
        "The request belongs to another repository than this run.",
        "An approval of one repository must not start anything in another.",
        "Label the issue in its own repository.",
        "依頼が別のリポジトリのものです。",
        "あるリポジトリの承認で別のリポジトリを動かすことはできません。",
        "その Issue のあるリポジトリでラベルを付けてください。",
    ),
    "E-START-009": (
        "The person who set the label may not start a run.",
        "The permission is asked again in the job that holds the credentials, because it may have been lost meanwhile.",
        "Ask somebody with write permission to set the label.",
        "ラベルを付けた人に開始する権限がありません。",
        "途中で権限を失うことがあるため、認証情報を持つジョブでもう一度確認します。",
        "書き込み権限のある人にラベルを付けてもらってください。",
    ),
}
