"""The UDG energy and what minimises it: operators, proximal points, two solvers, and a certificate that checks both."""
