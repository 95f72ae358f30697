"""`python -m xlbilling` is the terminal command."""

from xlbilling.terminal.main import main

if __name__ == "__main__":
    main()
