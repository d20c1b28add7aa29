"""The page for photographs, `rainopt studio`: what is drawn there becomes what `rainopt derain` is asked."""
