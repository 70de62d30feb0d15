"""Makes `known_answers.json`: inputs drawn here, and what independent packages say of them.

    pip install krippendorff irrCAC statsmodels scikit-learn ppi-python sacrebleu rouge-score
    python tests/stats/make_known_answers.py > tests/stats/known_answers.json

Not run by the tests: krippendorff is GPL-3.0 and the others are heavy. They are imported by name so that type checks
do not need them.
"""

import json
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np

PACKAGES = ("krippendorff", "irrCAC", "statsmodels", "scikit-learn", "ppi-python", "sacrebleu", "rouge-score")
TEXTS = {
    "en": ("Take two tablets (500 mg) every 8 hours; never exceed 4 g a day.",
           "Take 500 mg every eight hours, but do not exceed four grams a day."),
    "yo": ("Jọ̀wọ́ lo oògùn náà lẹ́ẹ̀mejì lójúmọ́ lẹ́yìn oúnjẹ.", "Lo oògùn náà lẹ́ẹ̀kan lójúmọ́, lẹ́yìn tí o bá jẹun."),
    "fr": ("L'amoxicilline n'est pas indiquée.", "L'amoxicilline est contre-indiquée chez ce patient."),
    "zh": ("每日两次,饭后服用。", "请在饭后服用,每日一次。"),
    "ja": ("食後に1日2回飲んでください。", "1日2回、食後に服用してください。"),
    "ko": ("식후에 하루 두 번 복용하세요.", "하루 두 번, 식사 후에 복용하십시오."),
}  # fmt: skip


def agreement() -> dict[str, Any]:
    """Return ratings with and without gaps, and alpha, AC1, AC2 and kappa of them."""
    pandas = import_module("pandas")
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 4, 60)
    table = np.column_stack([np.where(rng.random(60) < 0.6, truth, rng.integers(0, 4, 60)) for _ in range(3)])
    whole = table.astype(float)
    gaps = np.where(rng.random(whole.shape) < 0.2, np.nan, whole)
    categories = [0.0, 1.0, 2.0, 3.0]
    weightings = ("identity", "linear", "quadratic", "ordinal")
    cac, kappas = import_module("irrCAC.raw").CAC, import_module("statsmodels.stats.inter_rater").cohens_kappa
    counts = np.zeros((4, 4))
    np.add.at(counts, (table[:, 0], table[:, 1]), 1)
    found: dict[str, Any] = {
        "whole": whole.tolist(),
        "gaps": [[None if np.isnan(x) else x for x in row] for row in gaps.tolist()],
    }
    found["alpha"] = {
        scale: import_module("krippendorff").alpha(gaps.T, level_of_measurement=scale)
        for scale in ("nominal", "ordinal", "interval")
    }
    for name, ratings in (("whole", whole), ("gaps", gaps)):
        for weighting in weightings:
            made = cac(pandas.DataFrame(ratings), weights=weighting, digits=9, categories=categories).gwet()["est"]
            found[f"ac {name} {weighting}"] = [float(made["coefficient_value"]), float(made["se"])]
    for weighting, theirs in zip(weightings[:3], (None, "linear", "quadratic"), strict=True):
        made = kappas(counts, wt=theirs)
        found[f"kappa {weighting}"] = [float(made.kappa), float(made.std_kappa)]
    return found


def classification() -> dict[str, Any]:
    """Return classes and what scikit-learn scores them; said -1 is unread, which scikit-learn takes as a class."""
    metrics = import_module("sklearn.metrics")
    rng = np.random.default_rng(6)
    gold = rng.choice(3, 80, p=[0.5, 0.4, 0.1])
    said = np.where(rng.random(80) < 0.6, gold, rng.integers(-1, 3, 80))
    parts = metrics.precision_recall_fscore_support(gold, said, labels=[0, 1, 2])
    confidence = rng.random(80).round(2)
    correct = (rng.random(80) < confidence).astype(int)
    return {
        "gold": gold.tolist(),
        "said": said.tolist(),
        "macro_f1": float(metrics.f1_score(gold, said, labels=[0, 1, 2], average="macro")),
        "parts": [part.tolist() for part in parts],
        "confidence": confidence.tolist(),
        "correct": correct.tolist(),
        "brier": float(metrics.brier_score_loss(correct, confidence)),
    }


def powered() -> dict[str, Any]:
    """Return scores of people and of a judge, and the prediction-powered means with their 95 % intervals."""
    ppi = import_module("ppi_py")
    rng = np.random.default_rng(7)
    gold = rng.normal(3, 1, 600)
    judged = gold + rng.normal(0.3, 0.5, 600)
    labels, seen, scores = gold[:60], judged[:60], judged[60:]
    means = {
        name: [float(ppi.ppi_mean_pointestimate(labels, seen, scores, lam=lam)[0]),
               *(float(bound[0]) for bound in ppi.ppi_mean_ci(labels, seen, scores, alpha=0.05, lam=lam))]
        for name, lam in (("plain", 1.0), ("tuned", None))
    }  # fmt: skip
    return {"labels": labels.tolist(), "labelled_scores": seen.tolist(), "scores": scores.tolist(), **means}


def overlap() -> dict[str, Any]:
    """Return texts with sacreBLEU's chrF++ (chrF for zh and ja) and, for English, rouge-score's ROUGE-L."""
    chrf = import_module("sacrebleu.metrics").CHRF
    rouge = import_module("rouge_score.rouge_scorer").RougeScorer(["rougeL"])
    return {
        code: {
            "reply": reply,
            "reference": reference,
            "chrf": chrf(word_order=0 if code in {"zh", "ja"} else 2).sentence_score(reply, [reference]).score,
            **({"rouge_l": rouge.score(reference, reply)["rougeL"].fmeasure} if code == "en" else {}),
        }
        for code, (reply, reference) in TEXTS.items()
    }


if __name__ == "__main__":
    made = {
        "made_by": {package: version(package) for package in PACKAGES},
        "agreement": agreement(),
        "classification": classification(),
        "powered": powered(),
        "overlap": overlap(),
    }
    rows = ",\n".join(f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in made.items())
    sys.stdout.write(f"{{\n{rows}\n}}\n")
