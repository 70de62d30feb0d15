"""What the scores of a run say of a question when they are laid side by side, as a query over the table `scores`.

`lost`: the reply is not right, and that of the same model, under the same condition in the same repetition, to the
question in English is; guesses of baselines are left out. `all_wrong`: of the models that replied, two or more and no
baselines, none was right about the question in this language under this condition. Failed calls and open questions are
neither.
"""

from __future__ import annotations

BASELINES = ("chance", "majority", "longest", "hypothesis_only")
"""Ids of `globmed.models.baseline`, which cannot know what is right."""

_BASELINES = ", ".join(repr(name) for name in BASELINES)

_ENGLISH = """
    SELECT DISTINCT task, model, revision, answer, family, run, true AS right_in_english
    FROM scores WHERE language = 'en' AND correct
"""

_NOBODY = f"""
    SELECT task, answer, family, language, true AS nobody_right
    FROM scores
    WHERE outcome <> 'error' AND options > 0 AND model NOT IN ({_BASELINES})
    GROUP BY ALL HAVING NOT bool_or(correct) AND count(DISTINCT (model, revision)) >= 2
"""  # noqa: S608 - names of ours

MARKED_SCORES = f"""
    SELECT scores.*,
        coalesce(right_in_english, false) AND NOT correct AND outcome <> 'error' AND options > 0
            AND model NOT IN ({_BASELINES}) AS lost,
        coalesce(nobody_right, false) AND outcome <> 'error' AS all_wrong
    FROM scores
    LEFT JOIN ({_ENGLISH}) USING (task, model, revision, answer, family, run)
    LEFT JOIN ({_NOBODY}) USING (task, answer, family, language)
"""  # noqa: S608 - queries of ours
"""The rows of `scores`, with these two columns more."""
