"""The command line: arguments in, tables out. The work is done by the public functions of the areas."""
