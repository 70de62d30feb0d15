"""Numbers to numbers: intervals and comparisons over clustered observations; each function cites its source."""
