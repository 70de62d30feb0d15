"""The stage `translate`: items into further languages by a small team of models, checked, judged and translated back.

    candidate -> checks -> repair -> critique -> refine -> back -> accept | review | drop

`globmed.data.translate.translating` runs it; docs/translation.md says how to use it.
"""
