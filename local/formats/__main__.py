"""Prints the README's table of formats."""

from local.formats import formats_table

print(formats_table())
