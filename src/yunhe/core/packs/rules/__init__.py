"""Reading declarations: text in, values and problems with their lines out. Pure."""
