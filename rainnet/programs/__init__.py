"""Training programs, a file for each network; `rainnet.zoo` names them."""
