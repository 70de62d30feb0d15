"""What the checks of translations are worth: fitted on one part of given human translations, measured on another.

`globmed.data.parallel` reads the translations, `fitting` splits them and fits the bands of length, `injections` lists
the errors that are put into good translations, `measuring` counts what the checks make of good and of spoilt ones,
`adjudication` has people or a model judge a sample of what was flagged, and `quality_page` writes docs/quality.md.
"""
