"""Loops as fast as the hardware allows, and what starts them: a file for each kernel and target.

Nothing else lives here. `rainopt.arrays.KERNELS` names them, and decides which arrays they see.
"""
