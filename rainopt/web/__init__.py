"""The kit of all pages that run on this machine: who may ask, what answers carry, how a server begins and ends."""
