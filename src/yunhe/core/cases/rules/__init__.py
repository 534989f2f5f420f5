"""The pure part of cases: no database, no clock, no input or output."""
