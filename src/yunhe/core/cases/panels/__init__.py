"""What pages say of cases, of kinds and of changes of procedure, in cells, tables and sentences."""
