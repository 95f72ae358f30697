"""`python -m xlbilling` is the terminal command."""

from xlbilling.cli import main

if __name__ == "__main__":
    main()
