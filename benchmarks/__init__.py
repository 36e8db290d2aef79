"""How fast this API is beside two peers made for it and a hand-written endpoint. See README.md."""
