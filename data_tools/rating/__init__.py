"""User studies: pictures of several sources, rated by people who do not know which is whose."""
