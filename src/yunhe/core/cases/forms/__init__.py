"""Forms of cases: of actions, operators, openings and changes, and the way of a form through requests."""
