"""How good is it: scored clips, the loop a user would write, and the bound."""
