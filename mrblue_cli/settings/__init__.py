"""Find, merge and validate configuration; build each package's frozen options. The only reader of the environment."""
