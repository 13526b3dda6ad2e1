"""The issue form as data: one `FormField` per field of the request that works now, and the YAML made from them.

    python -m mlops_core.intake.form             # writes .github/ISSUE_TEMPLATE/train.yml and the example caller's copy
    by_label("Metric / 指標").name               # -> "metric"

A label is the text GitHub writes as ``### heading`` into the issue body, so it is the parse key: English and Japanese in one label.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from mlops_core.algorithms.catalogue import ENTRIES
from mlops_core.contracts.request import (
    CLASSIFICATION_METRICS,
    REGRESSION_METRICS,
    Duplicates,
    Encoding,
    InstanceType,
    Language,
    MissingValues,
    OutlierRule,
    RareClasses,
    SplitName,
    Task,
)

Kind = Literal["choice", "name", "uri", "version", "column", "columns", "derived", "number", "whole", "hyperparameters"]
LABEL_TO_START = "mlops:train"
TARGETS = (".github/ISSUE_TEMPLATE/train.yml", "examples/caller/.github/ISSUE_TEMPLATE/train.yml")


@dataclass(frozen=True)
class FormField:
    """One field: ``options`` maps what people choose to the contract's value, ``low`` and ``high`` close the range of a number."""

    name: str
    english: str
    japanese: str
    kind: Kind
    description: str
    description_ja: str
    required: bool = False
    options: Mapping[str, object] | None = None
    default: str = ""
    placeholder: str = ""
    low: float = -math.inf
    high: float = math.inf

    @property
    def label(self) -> str:
        """The heading in the issue body."""
        return f"{self.english} / {self.japanese}"

    @property
    def allowed(self) -> str:
        """The allowed values, written the same in every language."""
        if self.options is not None:
            return ", ".join(self.options)
        if self.kind in {"number", "whole"} and math.isfinite(self.low):
            return f"{self.low:.15g} – {self.high:.15g}"
        return f"e.g. {self.placeholder}" if self.placeholder else ""


def _same(values: Sequence[object]) -> dict[str, object]:
    return {str(value): value for value in values}


# A row per language reads better than a word per line.
# fmt: off
# GitHub refuses `none` and reads yes, no, on and off as truth values in dropdowns: such choices get words of their own.
FIELDS: tuple[FormField, ...] = (
    FormField(
        "language", "Language", "言語", "choice",
        "Language of the answers.",
        "回答の言語です。",
        required=True, options=_same(get_args(Language)), default="en",
    ),
    FormField(
        "model_name", "Model name", "モデル名", "name",
        "Lower-case letters, digits and single hyphens, 40 characters at most.",
        "英小文字・数字・ハイフン(連続不可)、40 文字まで。",
        required=True, placeholder="census-income",
    ),
    FormField(
        "task", "Task", "タスク", "choice",
        "What is predicted: one of two classes, one of several classes, or a number.",
        "予測するもの:二値分類、多クラス分類、回帰。",
        required=True, options=_same(get_args(Task)),
    ),
    FormField(
        "algorithm", "Algorithm", "アルゴリズム", "choice",
        "auto lets the plan choose by the size and the kind of the data.",
        "auto ではデータに応じて自動で選びます。",
        options=_same(("auto", *ENTRIES)), default="auto",
    ),
    FormField(
        "dataset", "Dataset", "データセット", "uri",
        "A CSV (plain or gzip) or Parquet file below datasets/ of the configured bucket.",
        "設定されたバケットの datasets/ 以下にある CSV(gzip 可)または Parquet ファイル。",
        required=True, placeholder="s3://my-bucket/datasets/census/raw/train.csv.gz",
    ),
    FormField(
        "test_dataset", "Test dataset", "テストデータ", "uri",
        "A file kept for the final test; empty: a share of the dataset is held back.",
        "最終テスト用のファイル。空欄ならデータセットの一部を使います。",
        placeholder="s3://my-bucket/datasets/census/raw/test.csv.gz",
    ),
    FormField(
        "dataset_version", "Dataset version", "データのバージョン", "version",
        "An immutable version; empty: the bytes found at the start are pinned by digest.",
        "固定されたバージョン。空欄なら開始時の内容を固定します。",
        placeholder="v1.2.3",
    ),
    FormField(
        "target", "Target column", "目的変数", "column",
        "The column to predict, exactly as in the header.",
        "予測する列名(ヘッダーの表記のまま)。",
        required=True, placeholder="income",
    ),
    FormField(
        "positive_label", "Positive label", "正例ラベル", "column",
        "Binary task only: the value that counts as positive; the rest is negative.",
        "二値分類のみ:正例とする値。残りは負例です。",
        placeholder=">50K",
    ),
    FormField(
        "split", "Split", "分割", "choice",
        "stratified keeps the shares of the classes; time tests on the latest rows; group keeps the rows of a group together.",
        "stratified はクラスの比率を保ち、time は最も新しい行でテストし、group は同じグループの行を分けません。",
        options=_same(get_args(SplitName)), default="stratified",
    ),
    FormField(
        "time_column", "Time column", "時刻列", "column",
        "Split by time: the column that orders the rows; empty: the order of the file.",
        "時間による分割:行の順序を決める列。空欄ならファイルの順。",
        placeholder="ordered_at",
    ),
    FormField(
        "split_gap", "Split gap in rows", "分割の間隔(行数)", "whole",
        "Split by time: rows left out before validation and before test.",
        "時間による分割:検証とテストの前に除く行数。",
        default="0", low=0, high=10**9,
    ),
    FormField(
        "group_column", "Group column", "グループ列", "column",
        "Split by group: rows with the same value stay together.",
        "グループによる分割:同じ値の行は同じ側に入ります。",
        placeholder="customer_id",
    ),
    FormField(
        "validation_share", "Validation share", "検証データの割合", "number",
        "Share of the rows that choose and judge the model.",
        "モデルの選択と判定に使う行の割合。",
        default="0.16", low=0.01, high=0.45,
    ),
    FormField(
        "test_share", "Test share", "テストデータの割合", "number",
        "Share of the rows held back for the final test; not with a test dataset.",
        "最終テストのために取り置く行の割合。テストデータを指定した場合は使いません。",
        default="0.2", low=0.01, high=0.45,
    ),
    FormField(
        "drop_columns", "Columns to drop", "除外する列", "columns",
        "One column per line.",
        "1 行に 1 列。",
        placeholder="fnlwgt",
    ),
    FormField(
        "missing_values", "Missing values", "欠損値", "choice",
        "How numeric gaps are filled; drop removes the rows.",
        "数値の欠損の補い方。drop は行を除きます。",
        options=_same(get_args(MissingValues)), default="median",
    ),
    FormField(
        "missing_constant", "Constant for missing values", "欠損値を補う定数", "number",
        "The number that constant fills in; text becomes the category missing.",
        "constant で補う数。文字列はカテゴリー missing になります。",
        default="0", placeholder="0",
    ),
    FormField(
        "outliers", "Outliers", "外れ値", "choice",
        "Numbers beyond the fences of the training rows: flag counts them, clip moves them to the fence, drop leaves out training rows.",
        "学習行から求めた範囲の外の数値:flag は数えるだけ、clip は範囲の端に寄せ、drop は学習から行を除きます。",
        options={"no outlier rule": "none", "flag": "flag", "clip": "clip", "drop": "drop"}, default="no outlier rule",
    ),
    FormField(
        "outlier_rule", "Outlier fences", "外れ値の範囲", "choice",
        "iqr: 1.5 interquartile ranges beyond the quartiles; zscore: 3 deviations from the mean.",
        "iqr は四分位範囲の 1.5 倍、zscore は平均から標準偏差の 3 倍。",
        options=_same(get_args(OutlierRule)), default="iqr",
    ),
    FormField(
        "rare_share", "Rare categories below", "まれなカテゴリーの下限", "number",
        "Categories below this share of the training rows become one category; 0: none.",
        "学習行に占める割合がこれより小さいカテゴリーをまとめます。0 ならまとめません。",
        default="0", placeholder="0.01", low=0, high=0.49,
    ),
    FormField(
        "duplicates", "Duplicate rows", "重複行", "choice",
        "What happens to rows that are equal in every column.",
        "全列が同じ行の扱い。",
        options=_same(get_args(Duplicates)), default="keep",
    ),
    FormField(
        "rare_classes", "Rare classes", "まれなクラス", "choice",
        "Several classes: drop leaves out the rows of classes with fewer than 10.",
        "多クラス分類:drop は 10 行未満のクラスの行を除きます。",
        options=_same(get_args(RareClasses)), default="keep",
    ),
    FormField(
        "encoding", "Encoding", "エンコーディング", "choice",
        "How text becomes numbers: a column per category, one number per category, or the target's mean (out of fold).",
        "文字列の数値化:カテゴリーごとの列、カテゴリーごとの番号、目的変数の平均(out of fold)。",
        options=_same(get_args(Encoding)), default="one_hot",
    ),
    FormField(
        "scaling", "Scaling", "スケーリング", "choice",
        "standard: mean 0, deviation 1; minmax: 0 to 1; robust: median 0, interquartile range 1; all on training rows.",
        "学習行で standard は平均 0・標準偏差 1、minmax は 0〜1、robust は中央値 0・四分位範囲 1。",
        options={"no scaling": "none", "standard": "standard", "minmax": "minmax", "robust": "robust"}, default="no scaling",
    ),
    FormField(
        "date_parts", "Date parts", "日付の要素", "choice",
        "derive adds year, month, day, weekday and hour of each date column.",
        "derive は日付の列から年・月・日・曜日・時を加えます。",
        options={"skip": False, "derive": True}, default="skip",
    ),
    FormField(
        "derived", "Derived features", "派生特徴量", "derived",
        "One per line: a / b (ratio), a * b (product) or a & b (cross of two texts), blanks around the sign.",
        "1 行に 1 つ:a / b(比)、a * b(積)、a & b(文字列の組)。記号の前後に空白。",
        placeholder="income / rooms",
    ),
    FormField(
        "selection", "Feature selection", "特徴量の選択", "choice",
        "correlation leaves out the later of two nearly equal features; importance keeps the most important ones.",
        "correlation はほぼ等しい特徴量の後の方を除き、importance は重要なものだけを残します。",
        options={"no selection": "none", "correlation": "correlation", "importance": "importance"}, default="no selection",
    ),
    FormField(
        "keep_features", "Features to keep", "残す特徴量の数", "whole",
        "Selection by importance: how many features stay.",
        "importance による選択で残す数。",
        placeholder="30", low=1, high=10_000,
    ),
    FormField(
        "protected_attributes", "Protected attributes", "保護属性", "columns",
        "Columns whose groups are compared in the report, one per line; a column to drop is compared too and is no feature.",
        "レポートでグループを比べる列、1 行に 1 列。除外する列も比べられ、特徴量にはなりません。",
        placeholder="sex",
    ),
    FormField(
        "metric", "Metric", "指標", "choice",
        "What is judged; auto takes roc_auc, accuracy or rmse by the task.",
        "判定に使う指標。auto はタスクに応じて roc_auc・accuracy・rmse。",
        options=_same(("auto", *CLASSIFICATION_METRICS, *REGRESSION_METRICS)), default="auto",
    ),
    FormField(
        "threshold", "Threshold", "しきい値", "number",
        "In the metric's own unit; empty: better than the trivial baseline.",
        "指標の単位で。空欄なら単純なベースラインを上回ること。",
        placeholder="0.86",
    ),
    FormField(
        "hyperparameters", "Hyperparameters", "ハイパーパラメータ", "hyperparameters",
        "One name = value per line.",
        "1 行に 1 つ「名前 = 値」。",
        placeholder="max_depth = 8",
    ),
    FormField(
        "seed", "Seed", "乱数シード", "whole",
        "The same seed gives the same model.",
        "同じシードなら同じモデルになります。",
        default="42", low=0, high=2**31 - 1,
    ),
    FormField(
        "instance_type", "Instance type", "インスタンスタイプ", "choice",
        "auto lets the plan choose by memory and price.",
        "auto ではメモリと価格から選びます。",
        options=_same(("auto", *get_args(InstanceType))), default="auto",
    ),
    FormField(
        "max_runtime_minutes", "Maximum run time in minutes", "最大実行時間(分)", "whole",
        "Bounds each job.",
        "ジョブごとの上限。",
        default="60", low=1, high=1440,
    ),
    FormField(
        "max_cost_usd", "Maximum cost in US dollars", "最大費用(米ドル)", "number",
        "Enforced as a shorter run time by the price of the instance; empty: no ceiling but the run time.",
        "インスタンス価格から実行時間の上限に換算します。空欄なら実行時間だけが上限です。",
        placeholder="5", low=0.01, high=1000,
    ),
    FormField(
        "max_retrains", "Maximum retrains", "再学習の上限", "choice",
        "How often an operator may retrain below the threshold.",
        "しきい値未満のとき、担当者が再学習できる回数。",
        options={str(count): count for count in range(4)}, default="3",
    ),
    FormField(
        "promotion", "Promotion", "昇格", "choice",
        "auto releases a model that passed; hold keeps it in the registry.",
        "auto は合格したモデルを公開します。hold はレジストリに留めます。",
        options={"auto": "auto", "hold": "none"}, default="auto",
    ),
    FormField(
        "endpoint", "Endpoint", "エンドポイント", "choice",
        "deploy serves the model; skip does not.",
        "deploy はモデルを配信します。skip は配信しません。",
        options={"deploy": True, "skip": False}, default="deploy",
    ),
)
# fmt: on


def by_label(label: str) -> FormField | None:
    """The field with exactly this heading, or None."""
    return _BY_LABEL.get(label)


def by_name(name: str) -> FormField:
    """The field that fills this field of `TrainingRequest`; KeyError when the form has none."""
    return _BY_NAME[name]


_BY_LABEL = {field.label: field for field in FIELDS}
_BY_NAME = {field.name: field for field in FIELDS}


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _field_lines(field: FormField) -> list[str]:
    kind = {"choice": "dropdown", "columns": "textarea", "derived": "textarea", "hyperparameters": "textarea"}.get(field.kind, "input")
    lines = [
        f"  - type: {kind}",
        f"    id: {field.name.replace('_', '-')}",
        "    attributes:",
        f"      label: {_quoted(field.label)}",
        f"      description: {_quoted(f'{field.description} {field.description_ja}')}",
    ]
    if field.options is not None:
        lines += ["      options:", *(f"        - {_quoted(option)}" for option in field.options)]
        if field.default:
            lines.append(f"      default: {list(field.options).index(field.default)}")
    else:
        if field.placeholder:
            lines.append(f"      placeholder: {_quoted(field.placeholder)}")
        if field.default:
            lines.append(f"      value: {_quoted(field.default)}")
    return [*lines, "    validations:", f"      required: {'true' if field.required else 'false'}"]


def form_yaml() -> str:
    """The issue form, complete: the one text both committed copies must equal."""
    welcome = (
        "A person with write access starts the run with the label `mlops:train`. "
        "Nothing here is executed: every field is read as plain text.\n\n"
        "書き込み権限のある人がラベル `mlops:train` を付けると実行が始まります。内容はすべて文字として扱われます。"
    )
    head = [
        "# Generated by `python -m mlops_core.intake.form`; edit mlops_core/intake/form.py instead.",
        'name: "Train a model / モデルの学習"',
        'description: "Ask for a trained, tested and served model. / モデルの学習・評価・配信を依頼します。"',
        'title: "Train: "',
        "body:",
        "  - type: markdown",
        "    attributes:",
        f"      value: {_quoted(welcome)}",
    ]
    return "\n".join(head + [line for field in FIELDS for line in _field_lines(field)]) + "\n"


def write_forms(root: Path) -> list[Path]:
    """Write the form to every place that carries a copy; returns the paths."""
    written = [root / target for target in TARGETS]
    for path in written:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(form_yaml(), encoding="utf-8")
    return written


if __name__ == "__main__":
    write_forms(Path.cwd())
