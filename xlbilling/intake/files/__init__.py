"""Files from outside, of any kind: guarded, opened, cut into cells, each cell converted once."""
