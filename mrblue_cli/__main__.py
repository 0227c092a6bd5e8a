"""`python -m mrblue_cli` is the same program as `mrblue`; the engine's child process starts this way."""

from mrblue_cli.cli.entry import main

if __name__ == "__main__":
    main()
