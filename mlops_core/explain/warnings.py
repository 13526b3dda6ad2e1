"""What the warnings of the data station mean: means, why and next act in English, then the same in Japanese."""

from __future__ import annotations

ROWS: dict[str, tuple[str, str, str, str, str, str]] = {
    "W-DATA-001": (
        "Some rows are equal in every column; the message says how many and what was done with them.",
        (
            "Equal rows weigh more than they should, and a model is asked about rows it has learnt by heart. Measured: 937 duplicates"
            " of the white wine quality data lift R² from 0.378 to 0.495 when they fall on both sides of the split."
        ),
        'Choose "Duplicate rows: drop" unless the same row twice is a real observation; equal rows always share one side of the split.',
        "全列が等しい行があります。件数と扱いはメッセージのとおりです。",
        (
            "等しい行は重みが過大になり、暗記した行で採点することになります。実測：白ワインの品質データでは 937 の重複行が"
            "分割の両側に入ると R² が 0.378 から 0.495 に上がりました。"
        ),
        "同じ行が本当に 2 回観測されたのでなければ「重複行」で drop を選んでください。等しい行は常に分割の同じ側に入ります。",
    ),
    "W-DATA-002": (
        "Rows whose target is empty were left out.",
        "They hold no answer to learn from or to be judged by; when the answer is missing for a reason, the rest is a biased sample.",
        "Find out why the target is missing; when it means an outcome of its own (for example 'none'), write that into the cell.",
        "目的変数が空の行を除きました。",
        "正解のない行は学習にも評価にも使えません。欠けた理由に偏りがあると、残りの行も偏ります。",
        "欠けている理由を確認し、それ自体が結果（例：「なし」）ならその値を書いてください。",
    ),
    "W-DATA-003": (
        "A column holds one value in all training rows and was dropped.",
        (
            "It cannot tell rows apart. In elec2 vicprice, vicdemand and transfer stand still until row 17,423 and then move: a model of"
            " the early rows cannot use them."
        ),
        "Nothing, if the column is expected to be constant; else check the export, or use rows of a longer time.",
        "学習データで値が 1 種類しかない列を除きました。",
        "行を区別できません。elec2 の vicprice などは 17,423 行目まで一定で、その後に動き出します。",
        "一定で正しければ対応は不要です。そうでなければ書き出しを確認するか、より長い期間の行を使ってください。",
    ),
    "W-DATA-004": (
        "A column holds no value at all and was dropped.",
        "It teaches nothing; often a join found no partner or a renamed field was exported under its old name.",
        "Repair the export, or take the column out of the file.",
        "値のまったくない列を除きました。",
        "学習に役立ちません。結合の失敗や項目名の変更が原因のことが多いです。",
        "書き出しを直すか、ファイルから列を除いてください。",
    ),
    "W-DATA-005": (
        "A column looks like an identifier: (nearly) every row has a value of its own.",
        (
            "A model can learn rows by heart through it, and the value of a new row was never seen. As a running number it also tells the"
            " order in which rows were collected."
        ),
        "Drop the column in the issue when it is a key; keep it when it is a measurement that happens to be different everywhere.",
        "ほぼ全行で値が異なり、識別子のように見える列があります。",
        "行を暗記する手がかりになり、新しい行の値は見たことがありません。連番なら収集順も漏らします。",
        "キーなら Issue で除外してください。たまたま全行で異なる測定値ならそのままで構いません。",
    ),
    "W-DATA-006": (
        "A column copies the target and was taken out of the features.",
        (
            "With it every figure is perfect and worthless, because it is not known when a prediction is needed. Measured: with the columns"
            " casual and registered, whose sum is the target, bike sharing is predicted with R² 1.0000."
        ),
        "Look how the column came into the file; other columns of the same origin may leak as well.",
        "目的変数を写した列を特徴量から除きました。",
        (
            "予測時には分からない値のため、指標は完璧でも意味がありません。実測：合計が目的変数になる casual と registered を残すと、"
            "bike sharing の R² は 1.0000 になります。"
        ),
        "その列がどこから来たかを確認してください。同じ出所の列も答えを漏らしている可能性があります。",
    ),
    "W-DATA-007": (
        "Some texts in a numeric column are no numbers and were taken as missing.",
        "A unit, a decimal comma or a word such as 'n/a' turns measurements into gaps; when many do, the column lies.",
        "Write the values as plain numbers, or leave the cell empty where there is none; the quality report shows the count.",
        "数値の列に数値でない文字があり、欠損として扱いました。",
        "単位や小数コンマ、「n/a」などの語は測定値を欠損に変えます。多いと列全体が信頼できません。",
        "値を数値だけで書き、ない場合はセルを空にしてください。件数は品質レポートにあります。",
    ),
    "W-DATA-008": (
        "At least half of a column's values are missing.",
        "What is filled in is then mostly made up, and what is missing may depend on the outcome itself.",
        "Find out why it is missing; drop the column, or keep it when being missing says something.",
        "列の値の半分以上が欠けています。",
        "補完した値が大半になり、欠け方自体が結果に左右されている場合もあります。",
        "欠けている理由を確認し、列を除くか、欠けていること自体に意味があるなら残してください。",
    ),
    "W-DATA-009": (
        "A text column has more different values than are encoded; the rarest share one place.",
        "Each value would be a column of its own with a handful of rows, which fits noise.",
        "Group the values (a product group instead of a product number), or choose target encoding.",
        "文字列の列の種類が符号化する上限より多く、まれな値はまとめて扱います。",
        "値ごとに数行しかない列になり、雑音に合わせてしまいます。",
        "値をまとめる（商品番号ではなく商品群など）か、ターゲットエンコーディングを選んでください。",
    ),
    "W-DATA-010": (
        "Some classes have very few rows.",
        (
            "Their figures move by tens of percent with one row, and training may never see them. In KDD Cup 99 the classes spy, perl, phf"
            " have 2, 3 and 4 of 494,021 rows."
        ),
        "Bring more rows, merge them, leave them out (Rare classes: drop), or look at macro F1 and the intervals instead of accuracy.",
        "行が非常に少ないクラスがあります。",
        "1 行で指標が大きく動き、学習で一度も現れないこともあります。KDD Cup 99 の spy、perl、phf は 494,021 行中 2、3、4 行です。",
        "行を増やす、クラスをまとめる、除く（まれなクラス：drop）、または正解率ではなくマクロ F1 と信頼区間を見てください。",
    ),
    "W-DATA-011": (
        "Column names were empty or doubled and were made unique.",
        "A name must mean one column, in the model's schema as in your requests; which of two equal names was meant cannot be known.",
        "Give every column its own name in the file, so that the schema stays the same from version to version.",
        "空または重複した列名を一意にしました。",
        "名前は 1 つの列を指す必要があり、同じ名前のどちらを指すかは分かりません。",
        "ファイルで列ごとに異なる名前を付けてください。バージョン間でスキーマが安定します。",
    ),
    "W-DATA-012": (
        "Rows of the test file also stand in the training file.",
        (
            "The model is asked what it has already been told. Measured: 937 duplicates of the white wine quality data, spread over both"
            " sides, lift R² from 0.378 to 0.495."
        ),
        "Take these rows out of one of the two files; then the test figure is about new rows.",
        "テストファイルの行が学習ファイルにもあります。",
        (
            "すでに教えた答えを尋ねることになります。実測：白ワインの品質データで 937 の重複行が両側にあると R² が 0.378 から 0.495 に"
            "上がりました。"
        ),
        "どちらかのファイルから取り除いてください。テストの数値が新しい行についてのものになります。",
    ),
    "W-DATA-013": (
        "A column holds whole numbers above 16,777,216 (2^24), which are rounded in the model's 32-bit floats.",
        "Neighbouring identifiers, amounts in cents or timestamps in milliseconds become equal.",
        "Drop the column when it is an identifier, use coarser units, or declare a date as a date.",
        "16,777,216（2^24）を超える整数があり、モデルの 32 ビット浮動小数では丸められます。",
        "隣り合う識別子、銭単位の金額、ミリ秒の時刻などが同じ値になります。",
        "識別子なら除外し、単位を粗くするか、日付は日付として扱ってください。",
    ),
    "W-DATA-014": (
        "Rows with missing values were left out, as the request asks.",
        "The model has then never seen an incomplete row, and complete rows may be another kind of rows.",
        'Choose median, mean or mode for "Missing values" to keep them, or check that new rows will be complete.',
        "依頼のとおり、欠損のある行を除きました。",
        "モデルは欠けた行を一度も見ず、残った行に偏りがあるかもしれません。",
        "残すには「欠損値」で median、mean、mode を選ぶか、新しい行に欠損がないことを確認してください。",
    ),
    "W-DATA-015": (
        "A column has numbers beyond the fences of the outlier rule; the message says how many, and what was done with them.",
        "Fences are fitted on the training rows: a linear model follows far values, trees hardly do, and a real extreme is information.",
        'Nothing, if the action is what you want; else choose another one for the outliers (clip, flag, drop or "no outlier rule").',
        "外れ値の規則の範囲を超える数値がある列です。件数と扱いはメッセージのとおりです。",
        "範囲は学習データから決めます。線形モデルは離れた値に引かれ、木はほとんど影響を受けません。本物の極端な値は情報です。",
        "意図した扱いなら対応は不要です。違う場合は外れ値の扱い（clip、flag、drop など）を選び直してください。",
    ),
    "W-DATA-016": (
        "Rare categories of a column were put together as one.",
        "Alone each would be learnt from a handful of rows; together they behave as 'something else', and so does a new category.",
        "Nothing, unless one of them matters by itself; then bring more rows of it.",
        "列のまれな分類を 1 つにまとめました。",
        "個別では数行から学ぶことになります。まとめると「その他」として扱われ、新しい分類も同じ扱いです。",
        "対応は不要です。個別に重要な分類があれば、その行を増やしてください。",
    ),
    "W-DATA-017": (
        "The selection left features out; the message says how many and by which rule.",
        "Features that repeat another or carry no weight cost time and blur the importance of the rest.",
        'Nothing; choose "no selection" (`--select none`) to keep all of them, and compare the validation figures.',
        "選択により特徴量を除きました。件数と規則はメッセージのとおりです。",
        "他と重複する特徴量や寄与のない特徴量は、時間を使い、残りの重要度を分かりにくくします。",
        "対応は不要です。すべて残すには「no selection」（`--select none`）を選び、検証の数値を比べてください。",
    ),
    "W-EVAL-001": (
        "The model answered every row of the split with one class.",
        "Its accuracy is then only the share of that class; for a rare class it looks high and finds nothing.",
        "Weight the classes, choose a metric such as F1 or ROC AUC, or give the rare class more rows.",
        "この分割のすべての行に 1 つのクラスだけを答えました。",
        "正解率はそのクラスの割合にすぎません。まれなクラスでは高く見えても、何も見つけていません。",
        "クラスに重みを付けるか、F1 や ROC AUC を指標に選ぶか、まれなクラスの行を増やしてください。",
    ),
    "W-EVAL-002": (
        "Accuracy, ROC AUC or R² is above 0.9999 on enough rows for that to mean something.",
        (
            "Such a score is nearly always a leak. Measured: bike sharing with its columns casual and registered reaches R² 1.0000, because"
            " their sum is the target; without them 0.95."
        ),
        "Look at the most important column: is it known when the model is asked? Drop it and train again; if the score is real, say why.",
        "正解率、ROC AUC または R² が、十分な行数で 0.9999 を超えています。",
        (
            "ほとんどの場合リークが原因です。実測：bike sharing では casual と registered の和が目的変数なので R² が 1.0000 になり、"
            "除くと 0.95 です。"
        ),
        "最も重要な列が予測の時点で分かる値か確認し、そうでなければ除いて学習し直してください。本物なら理由を残してください。",
    ),
    "W-EVAL-003": (
        "The model answered every row of the split with one number.",
        "It learnt nothing beyond a mean: no column helped, or too few rows or trees were given.",
        "Check that the columns hold information, and give more rows or milder regularisation.",
        "この分割のすべての行に同じ数値を答えました。",
        "平均以上のことを何も学んでいません。役に立つ列がないか、行や木が少なすぎます。",
        "列に情報があるか確認し、行を増やすか正則化を弱めてください。",
    ),
    "W-EVAL-004": (
        "Groups of a protected column were not compared: the split has no such column, or no two groups of ten rows.",
        "Fairness was asked for and nothing is known about it; a policy that stops on a gap then stops, because silence is no proof.",
        "Bring ten rows or more of at least two groups (also in a test file of yours), or take it out of the request.",
        "保護属性のグループを比較していません。分割にその列がないか、10 行以上のグループが 2 つありません。",
        "公平性の確認を求められましたが、何も分かっていません。差で停止するポリシーでは、確認できないことも停止の理由です。",
        "2 つ以上のグループに 10 行以上を用意するか（テストファイルを指定した場合はその列も）、保護属性の指定から外してください。",
    ),
    "W-LEAK-001": (
        "One column alone gives the target, on nearly every row.",
        (
            "It is usually the answer in other words, written after the fact; when the model is asked, the column will be empty."
            " A perfect score is then a mistake and not a success."
        ),
        "Ask whether the value is known at the time of the prediction; if it is not, drop the column and label the issue again.",
        "1 つの列だけで、ほぼ全行の目的変数が分かります。",
        "結果が出た後に書かれた、答えの言い換えであることが大半です。予測時にはその値がなく、満点は成功ではなく誤りです。",
        "予測の時点で分かる値かを確認し、分からなければその列を除外してラベルを付け直してください。",
    ),
    "W-LEAK-002": (
        "A sum or a product of two or three columns gives the target.",
        (
            "Parts of the answer stand in the table. Measured: casual + registered is the target of the bike sharing data, and with both"
            " kept a model reaches R² 1.0000."
        ),
        "Drop these columns, unless they are known when the prediction is needed; then no model is needed at all.",
        "2～3 列の和または積が目的変数になります。",
        "答えの一部が表にあります。実測：bike sharing の目的変数は casual + registered で、両方を残すと R² が 1.0000 になります。",
        "これらの列を除外してください。予測の時点で分かるなら、モデルは不要です。",
    ),
    "W-LEAK-003": (
        "Many rows repeat another one, and a split by row would show a better figure than the truth.",
        (
            "A probe is trained both ways and the message shows both figures. Measured: on the white wine quality data, 937 duplicates on"
            " both sides of the split lift R² from 0.378 to 0.495."
        ),
        (
            "Nothing for this run: equal rows were kept on one side. Compare with published figures only when they did the same, and drop"
            " the duplicates if they are copies."
        ),
        "同じ行が多く、行単位で分割すると実力より良い数値になります。",
        (
            "両方の分割で試しに学習した数値を示します。"
            "実測：白ワインの品質データでは 937 の重複行が両側に入ると R² が 0.378 から 0.495 に上がります。"
        ),
        "この実行では等しい行を片側にそろえたため対応は不要です。写しであれば重複を除いてください。",
    ),
    "W-LEAK-004": (
        "The rows drift in time, and a random split lets the model look into the future.",
        (
            "Rows of one hour fall on both sides, so the model is asked about days that it knows. Measured on elec2: accuracy 0.831 split"
            " at random, 0.711 when the last 30 % are judged, less than the 0.853 of repeating the last value."
        ),
        'Choose "Split: time" with the time column (and a gap), and believe the later figure; plan to train again as the data drift.',
        "行が時間とともに変化しており、ランダムな分割では未来を見て学習することになります。",
        (
            "同じ時期の行が両側に入ります。実測（elec2）：正解率はランダム分割で 0.831、"
            "最後の 30 % では 0.711 で、直前の値を繰り返す 0.853 より低くなります。"
        ),
        "分割で「time」と時刻の列（必要なら間隔）を選び、後の時期の数値を信じてください。定期的な再学習も計画してください。",
    ),
    "W-LEAK-005": (
        "A date column lies after the time of its row in many rows.",
        "It was written when the outcome was known (a closing or payment date), so it will be empty when the model is asked.",
        "Drop the column, or check that both times are in the same time zone and unit.",
        "多くの行で、行の時刻より後の日付が入っている列があります。",
        "結果が分かった後に書かれた値（終了日や支払日など）で、予測時にはありません。",
        "その列を除外するか、2 つの時刻のタイムゾーンと単位がそろっているか確認してください。",
    ),
    "W-LEAK-006": (
        "Rows of a later split repeat training rows in every column but row numbers and identifiers.",
        "The model has learnt their answers by heart, so they lift the score without showing that it can answer new rows.",
        "Drop the identifier in the issue, so that equal rows are seen as such and share a side; or drop duplicates.",
        "後の分割に、行番号と識別子以外が学習データの行と同じ行があります。",
        "モデルは答えを暗記しているため、新しい行に答えられなくても数値が上がります。",
        "Issue で識別子の列を除外すると等しい行が同じ側に置かれます。または重複を除いてください。",
    ),
    "W-SHIFT-001": (
        "Columns are distributed otherwise in this split than in training (PSI above 0.2, and above what chance gives).",
        (
            "A figure on rows of another kind says little about the model. Measured: the count of the bike sharing data moves by PSI 0.244"
            " from 2011 to 2012, and R² falls from 0.953 to 0.645."
        ),
        "Find out what changed (season, source, unit); train on newer rows, or judge on rows like those that will come.",
        "この分割の列の分布が学習データと異なります（PSI が 0.2 と偶然の範囲を超えています）。",
        (
            "種類の違う行での数値はモデルをよく表しません。"
            "実測：bike sharing では 2011 年から 2012 年で PSI 0.244 の変化があり、R² は 0.953 から 0.645 に下がります。"
        ),
        "何が変わったか（季節、出所、単位）を調べ、新しい行で学習するか、今後と同じ種類の行で評価してください。",
    ),
    "W-SHIFT-002": (
        "The target is distributed otherwise in this split than in training (PSI above 0.2).",
        "What the model learnt about how frequent each outcome is no longer holds, so its probabilities are off.",
        "Use a stratified split when time plays no part; else train on newer rows and watch the share of each outcome.",
        "この分割の目的変数の分布が学習データと異なります（PSI が 0.2 を超えています）。",
        "結果の起こりやすさが変わると、モデルの確率がずれます。",
        "時間が関係なければ層化分割を使い、関係があれば新しい行で学習して割合を見守ってください。",
    ),
}
