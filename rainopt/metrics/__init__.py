"""How good a picture is: PSNR and SSIM against a truth, NIQE without one."""
