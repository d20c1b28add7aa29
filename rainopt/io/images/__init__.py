"""What each image format needs: headers, decoding, encoding, metadata. `rainopt.io` is the way in."""
