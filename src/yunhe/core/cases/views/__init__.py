"""Pages of cases: the inbox with a case beside it, a case and what is done with it, lists, absences."""
